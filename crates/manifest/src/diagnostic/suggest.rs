/// The candidate that `wrong` is most likely meant to be, if any is near enough.
pub(crate) fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing costs the product of both lengths; nobody mistypes a name into a hundred bytes.
    if wrong.len() > 100 {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace(['_', ' ', '.'], "-");
    let wrong = plain(wrong);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wrong, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(wrong.len()).div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_enough_or_nothing() {
        let keys = ["extends", "env", "agent_provider", "git-gate", "egress"];
        for (wrong, right) in [
            ("extend", "extends"),
            ("git_gate", "git-gate"),
            ("agent-provider", "agent_provider"),
            ("egres", "egress"),
            ("EVN", "env"),
        ] {
            assert_eq!(nearest(wrong, keys), Some(right), "{wrong}");
        }
        for far in ["colour", "x", "", &"e".repeat(10_000)] {
            assert_eq!(nearest(far, keys), None);
        }
    }
}
