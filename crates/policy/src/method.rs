use std::fmt;

use crate::{Code, Refusal, Shown};

/// An HTTP method in upper case (a token, RFC 9110 §5.6.2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(String);

/// Why a text is no method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not an HTTP method: write a name such as `GET`, `POST` or `DELETE`", shown = Shown(.0))]
pub struct MethodError(String);

impl Method {
    /// Parses a method, folding its case.
    ///
    /// # Errors
    /// When it is empty, longer than 32 bytes, or no token.
    pub fn parse(text: &str) -> Result<Self, MethodError> {
        let ok = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
        if ok { Ok(Self(text.to_ascii_uppercase())) } else { Err(MethodError(text.to_owned())) }
    }

    /// The method in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a request by `method`, as it was sent, never passes; `None`: a rule decides.
///
/// Threat: an answer to TRACE repeats the request, the credential that was put in included (RFC 9110 §9.3.8).
pub fn forbidden_method(method: &str) -> Option<Refusal> {
    let is_trace = ["TRACE", "TRACK"].iter().any(|trace| method.eq_ignore_ascii_case(trace));
    is_trace.then(|| Refusal {
        code: Code::RequestNotAllowed,
        message: "TRACE would repeat what is put into the request".to_owned(),
        hint: "use another method: no route can allow this one".to_owned(),
        rule: None,
    })
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn folds_case_and_takes_tokens_alone() {
        assert_eq!(Method::parse("get").unwrap().as_str(), "GET");
        assert_eq!(Method::parse("M-SEARCH").unwrap().as_str(), "M-SEARCH");
        for bad in ["", "GE T", "GET\r\n", "*", "GÉT", &"A".repeat(33)] {
            assert!(Method::parse(bad).is_err(), "{bad:?}");
        }
    }
}
