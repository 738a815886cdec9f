//! What somebody may have meant who mistyped a name.

/// How many names are offered.
const OFFERED: usize = 3;

/// `did you mean a, b or c?`, nearest first.
pub(super) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let part = |key: &'a str| key.rsplit('.').next().unwrap_or(key);
    let distance = |key: &'a str| {
        let whole = strsim::damerau_levenshtein(name, key);
        // The name without its group, too: `requests` for `demand.requests`.
        whole.min(strsim::damerau_levenshtein(name, part(key)) + 1)
    };
    let mut known: Vec<(usize, &str)> = known.map(|key| (distance(key), key)).collect();
    known.sort_unstable();
    let nearest: Vec<&str> = known.iter().take(OFFERED).map(|(_, key)| *key).collect();
    match nearest.as_slice() {
        [head @ .., last] if !head.is_empty() => {
            format!("did you mean {} or {last}?", head.join(", "))
        }
        _ => format!("did you mean {}?", nearest.join("")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first() {
        let known = ["demand.requests", "demand.growth", "gpu.life", "gpu.price"];
        let said = near("demand.reqests", known.into_iter());
        assert!(said.starts_with("did you mean demand.requests, "), "{said}");
        assert!(near("life", known.into_iter()).starts_with("did you mean gpu.life"));
        assert_eq!(near("x", ["only"].into_iter()), "did you mean only?");
    }
}
