//! Addresses on public blockchains that do not write Base58Check in Bitcoin's alphabet.

use super::secret::base58check;

/// The checks of this file.
pub(super) const TABLE: super::Table =
    &[("xrp_address", |text| super::whole(text, xrp_address(text)))];

/// An account of the XRP Ledger (xrpl.org, "base58 encodings"): Base58Check in an alphabet of its
/// own, whose zero is `r`.
fn xrp_address(text: &str) -> bool {
    const BITCOIN: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    const XRP: &[u8; 58] = b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";
    let translated: Option<String> = text
        .bytes()
        .map(|byte| {
            let digit = XRP.iter().position(|&known| known == byte)?;
            Some(char::from(BITCOIN[digit]))
        })
        .collect();
    translated.is_some_and(|text| base58check(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        assert!(xrp_address("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"));
        assert!(!xrp_address("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTr") && !xrp_address("r0"));
    }
}
