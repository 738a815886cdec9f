//! What only the organization can say of itself.

use serde::Deserialize;

/// `[organization]`: what stands in the papers of who is responsible, and why. Nothing of it is
/// ever made up: what is absent shows as a gap.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Organization {
    /// Its name, as the controller's.
    pub name: Option<String>,
    /// Its postal address.
    pub address: Option<String>,
    /// How to reach it; better an office than a person.
    pub contact: Option<String>,
    /// Its representative in the Union (GDPR Art. 27), where one is needed.
    pub representative: Option<String>,
    /// How to reach its data protection officer, where it has one.
    pub data_protection_officer: Option<String>,
    /// Jurisdictions whose law it is under, as `rules/jurisdictions.csv` calls them.
    pub jurisdictions: Vec<String>,
    /// What language models are used for.
    pub purposes: Option<String>,
    /// On what legal basis (GDPR Art. 6; for special categories, Art. 9).
    pub legal_basis: Option<String>,
    /// Whose data: customers, patients, employees, …
    pub data_subjects: Option<String>,
    /// How long records are kept, and by which rule.
    pub retention: Option<String>,
    /// Technical and organizational measures beyond the gate.
    pub security_measures: Option<String>,
    /// The AI systems behind the gate, and whether any is high-risk.
    pub ai_systems: Option<String>,
    /// Who oversees them (AI Act Art. 26(2)).
    pub human_oversight: Option<String>,
    /// Why the processing is necessary and proportionate (GDPR Art. 35(7)(b)).
    pub necessity: Option<String>,
    /// The risks to data subjects as the organization sees them (GDPR Art. 35(7)(c)).
    pub risks: Option<String>,
    /// To whom a breach is reported, and by whom.
    pub breach_contact: Option<String>,
    /// Those who process for it, by endpoint.
    pub processor: Vec<Processor>,
}

/// `[[organization.processor]]`: who stands behind an endpoint.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processor {
    /// The endpoint's configured name.
    pub endpoint: String,
    /// The processor's name.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// The contract (GDPR Art. 28(3)): which, and of when.
    pub contract: Option<String>,
    /// The safeguard of transfers, and the assessment of their impact: which, and of when.
    pub safeguard: Option<String>,
    /// Where its list of sub-processors is.
    pub sub_processors: Option<String>,
}

/// A statement of the organization, as templates name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Statement {
    Name,
    Address,
    Contact,
    Representative,
    DataProtectionOfficer,
    Jurisdictions,
    Purposes,
    LegalBasis,
    DataSubjects,
    Retention,
    SecurityMeasures,
    AiSystems,
    HumanOversight,
    Necessity,
    Risks,
    BreachContact,
}

impl Organization {
    /// A statement; `None` where it was not made.
    pub(super) fn says(&self, what: Statement) -> Option<String> {
        let said = match what {
            Statement::Name => &self.name,
            Statement::Address => &self.address,
            Statement::Contact => &self.contact,
            Statement::Representative => &self.representative,
            Statement::DataProtectionOfficer => &self.data_protection_officer,
            Statement::Jurisdictions => {
                return (!self.jurisdictions.is_empty()).then(|| self.jurisdictions.join(", "));
            }
            Statement::Purposes => &self.purposes,
            Statement::LegalBasis => &self.legal_basis,
            Statement::DataSubjects => &self.data_subjects,
            Statement::Retention => &self.retention,
            Statement::SecurityMeasures => &self.security_measures,
            Statement::AiSystems => &self.ai_systems,
            Statement::HumanOversight => &self.human_oversight,
            Statement::Necessity => &self.necessity,
            Statement::Risks => &self.risks,
            Statement::BreachContact => &self.breach_contact,
        };
        said.clone().filter(|text| !text.trim().is_empty())
    }

    /// Who stands behind an endpoint.
    pub(super) fn processor(&self, endpoint: &str) -> Option<&Processor> {
        self.processor.iter().find(|of| of.endpoint == endpoint)
    }
}

impl Statement {
    /// Its key in the configuration, to name in a gap.
    pub(super) fn key(self) -> &'static str {
        match self {
            Statement::Name => "organization.name",
            Statement::Address => "organization.address",
            Statement::Contact => "organization.contact",
            Statement::Representative => "organization.representative",
            Statement::DataProtectionOfficer => "organization.data_protection_officer",
            Statement::Jurisdictions => "organization.jurisdictions",
            Statement::Purposes => "organization.purposes",
            Statement::LegalBasis => "organization.legal_basis",
            Statement::DataSubjects => "organization.data_subjects",
            Statement::Retention => "organization.retention",
            Statement::SecurityMeasures => "organization.security_measures",
            Statement::AiSystems => "organization.ai_systems",
            Statement::HumanOversight => "organization.human_oversight",
            Statement::Necessity => "organization.necessity",
            Statement::Risks => "organization.risks",
            Statement::BreachContact => "organization.breach_contact",
        }
    }
}
