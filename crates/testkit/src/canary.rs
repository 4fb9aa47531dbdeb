use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// A secret that no other test plants: looked for in everything a test can see, and found nowhere.
///
/// Letters, digits and a hyphen, so that it survives every quoting unchanged.
pub fn canary(name: &str) -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("canary-{name}-{:016x}{:016x}", random(), random())
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_are_the_same() {
        assert_ne!(super::canary("token"), super::canary("token"));
    }
}
