//! The kinds of personal data and secrets that we tell apart.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// How grave a kind is, and so in which order policies ask about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Personal data in the sense of GDPR Art. 4(1), or an organization's own terms.
    Personal,
    /// Special categories of personal data, GDPR Art. 9(1).
    Special,
    /// Grants access by being known.
    Secret,
}

macro_rules! entities {
    ($($variant:ident $label:literal $category:ident $doc:literal,)*) => {
        /// A kind of personal data or secret. Its label is part of the contract with policies,
        /// records and other tools.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Entity {
            $(#[doc = $doc] $variant,)*
        }

        impl Entity {
            /// Every kind, in the order of declaration.
            pub const ALL: &'static [Entity] = &[$(Entity::$variant,)*];

            /// The label, upper case with underscores.
            pub fn as_str(self) -> &'static str {
                match self { $(Entity::$variant => $label,)* }
            }

            /// The category it belongs to.
            pub fn category(self) -> Category {
                match self { $(Entity::$variant => Category::$category,)* }
            }
        }

        impl FromStr for Entity {
            type Err = UnknownEntity;

            fn from_str(label: &str) -> Result<Self, UnknownEntity> {
                match label {
                    $($label => Ok(Entity::$variant),)*
                    _ => Err(UnknownEntity(label.to_owned())),
                }
            }
        }
    };
}

entities! {
    Person "PERSON" Personal "A natural person's name.",
    Address "ADDRESS" Personal "A postal address or a part of one that leads to a door.",
    Location "LOCATION" Personal "A town, region or country on its own.",
    Org "ORG" Personal "An organization's name.",
    Email "EMAIL" Personal "An e-mail address.",
    Phone "PHONE" Personal "A telephone number.",
    Url "URL" Personal "A web address.",
    Ip "IP" Personal "An IPv4 or IPv6 address.",
    Mac "MAC" Personal "A network interface's hardware address.",
    DateOfBirth "DATE_OF_BIRTH" Personal "A date that the text calls a birth date.",
    Date "DATE" Personal "Any other date.",
    Age "AGE" Personal "A person's age.",
    Iban "IBAN" Personal "An international bank account number, ISO 13616.",
    Card "CARD" Personal "A payment card number, ISO/IEC 7812.",
    BankAccount "BANK_ACCOUNT" Personal "A national bank account number.",
    RoutingNumber "ROUTING_NUMBER" Personal "A bank's routing or sort code.",
    NationalId "NATIONAL_ID" Personal "A national identity or social security number.",
    TaxId "TAX_ID" Personal "A tax number.",
    VatId "VAT_ID" Personal "A value-added-tax identification number.",
    Passport "PASSPORT" Personal "A passport number.",
    DriversLicense "DRIVERS_LICENSE" Personal "A driving licence number.",
    HealthId "HEALTH_ID" Personal "A health insurance or patient number.",
    ProfessionId "PROFESSION_ID" Personal "A number of a professional register.",
    LicensePlate "LICENSE_PLATE" Personal "A vehicle's registration plate.",
    VehicleId "VEHICLE_ID" Personal "A vehicle identification number, ISO 3779.",
    CryptoWallet "CRYPTO_WALLET" Personal "An address on a public blockchain.",
    Username "USERNAME" Personal "An account name.",
    Password "PASSWORD" Secret "A password.",
    Secret "SECRET" Secret "An API key, token, private key or other credential.",
    Health "HEALTH" Special "Data concerning health.",
    Religion "RELIGION" Special "Religious or philosophical beliefs.",
    Ethnicity "ETHNICITY" Special "Racial or ethnic origin.",
    Political "POLITICAL" Special "Political opinions.",
    Orientation "ORIENTATION" Special "Sex life or sexual orientation.",
    Union "UNION" Special "Trade union membership.",
    Biometric "BIOMETRIC" Special "Biometric or genetic data.",
    CompanyId "COMPANY_ID" Personal "A number of a company register.",
    Custom "CUSTOM" Personal "A term of the organization's own list.",
}

/// A label that names no [`Entity`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown entity `{0}`; the labels are upper case, such as PERSON, IBAN or SECRET")]
pub struct UnknownEntity(String);

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Entity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Entity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let label = std::borrow::Cow::<str>::deserialize(deserializer)?;
        label.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_round_trip_and_are_distinct() {
        let mut seen = std::collections::BTreeSet::new();
        for &entity in Entity::ALL {
            assert!(seen.insert(entity.as_str()), "{entity} twice");
            assert_eq!(entity.as_str().parse(), Ok(entity));
            let json = serde_json::to_string(&entity).unwrap();
            assert_eq!(serde_json::from_str::<Entity>(&json).unwrap(), entity);
        }
        assert!("person".parse::<Entity>().is_err());
    }

    #[test]
    fn article_nine_is_special() {
        let special: Vec<_> = Entity::ALL
            .iter()
            .filter(|entity| entity.category() == Category::Special)
            .map(|entity| entity.as_str())
            .collect();
        assert_eq!(
            special,
            [
                "HEALTH",
                "RELIGION",
                "ETHNICITY",
                "POLITICAL",
                "ORIENTATION",
                "UNION",
                "BIOMETRIC"
            ]
        );
    }
}
