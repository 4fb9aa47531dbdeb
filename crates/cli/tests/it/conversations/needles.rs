use std::path::{Path, PathBuf};

use data_encoding::{BASE64, BASE64URL, HEXLOWER};

/// Texts that must be nowhere, in the spellings in which they could be.
pub struct Needles(Vec<Vec<u8>>);

impl Needles {
    pub fn new(texts: &[String]) -> Self {
        Self(texts.iter().flat_map(|text| forms(text)).collect())
    }

    pub fn are_in(&self, bytes: &[u8]) -> bool {
        self.0.iter().any(|needle| bytes.windows(needle.len()).any(|window| window == needle))
    }

    #[track_caller]
    pub fn assert_absent(&self, what: &str, bytes: &[u8]) {
        assert!(!self.are_in(bytes), "the credential is in {what}:\n{}", String::from_utf8_lossy(bytes));
    }

    /// The files below `folder` that hold one, or have one in their name; the agents' programs are left out.
    pub fn files(&self, folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() && entry.file_name() != ".npm-global" {
                found.extend(self.files(&path));
            }
            // What has gone meanwhile holds nothing.
            let content = if kind.is_file() { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
            if self.are_in(&content) || self.are_in(entry.file_name().as_encoded_bytes()) {
                found.push(path);
            }
        }
        found
    }
}

fn forms(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut forms = vec![bytes.to_vec(), bytes.iter().rev().copied().collect(), HEXLOWER.encode(bytes).into_bytes()];
    for shift in 0..3 {
        let shifted = [&vec![0; shift], bytes].concat();
        for encoding in [BASE64, BASE64URL] {
            let whole = encoding.encode(&shifted).into_bytes();
            // The letters at both ends depend on what stands beside it.
            forms.push(whole[(shift * 4).div_ceil(3)..whole.len() - 4].to_vec());
        }
    }
    forms
}

#[test]
fn every_spelling_is_known() {
    let needles = Needles::new(&["canary-0123".to_owned()]);
    let json = format!("{{\"token\":\"{}\"}}", "canary-0123");
    for text in [
        json.clone(),
        BASE64.encode(json.as_bytes()),
        BASE64.encode(format!("  {json}").as_bytes()),
        HEXLOWER.encode(json.as_bytes()),
    ] {
        needles.assert_absent("nothing", b"canary-012 3");
        assert!(needles.are_in(text.as_bytes()), "{text}");
    }
}
