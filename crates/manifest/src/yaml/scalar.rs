/// A scalar by the core schema of YAML 1.2 (§10.3.2): `yes`, `no`, `on`, `off` are texts, `012` is a number, dates are texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool {
        value: bool,
        text: String,
    },
    /// `None`: does not fit.
    Int {
        value: Option<i64>,
        text: String,
    },
    Float {
        value: f64,
        text: String,
    },
    Text(String),
}

impl Scalar {
    /// What a scalar without quotes means.
    pub fn plain(text: String) -> Self {
        match text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" => return Self::Bool { value: true, text },
            "false" | "False" | "FALSE" => return Self::Bool { value: false, text },
            _ => {}
        }
        if let Some(value) = int(&text) {
            return Self::Int { value, text };
        }
        match float(&text) {
            Some(value) => Self::Float { value, text },
            None => Self::Text(text),
        }
    }

    /// Its text as written, without quotes; `None` where nothing is written.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Null => None,
            Self::Bool { text, .. } | Self::Int { text, .. } | Self::Float { text, .. } | Self::Text(text) => Some(text),
        }
    }

    pub fn what(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool { .. } => "true or false",
            Self::Int { .. } | Self::Float { .. } => "a number",
            Self::Text(_) => "text",
        }
    }
}

/// `Some(None)`: a whole number that does not fit.
fn int(text: &str) -> Option<Option<i64>> {
    let digits = |text: &str, radix| {
        (!text.is_empty() && text.chars().all(|c| c.is_digit(radix))).then(|| i64::from_str_radix(text, radix).ok())
    };
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal, 8);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return digits(hex, 16);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits(unsigned, 10).map(|_| text.parse().ok())
}

fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(f64::NAN);
    }
    // std takes `inf`, `nan` and `infinity` too, which are texts in YAML.
    let number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
    number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::Scalar;

    fn what(text: &str) -> &'static str {
        Scalar::plain(text.to_owned()).what()
    }

    #[test]
    fn the_norway_problem_and_its_kin() {
        for text in [
            "no",
            "NO",
            "yes",
            "on",
            "off",
            "y",
            "n",
            "2001-01-01",
            "1:30",
            "inf",
            "nan",
            "1_000",
            "0b1",
            "0x",
            "1.2.3",
            "-",
            "+",
            "--1",
            ".",
        ] {
            assert_eq!(what(text), "text", "{text}");
        }
        for text in
            ["1", "-1", "+1", "007", "0o17", "0xFF", "1.5", ".5", "1.", "1e3", "-1.5E-3", ".inf", ".nan", "99999999999999999999"]
        {
            assert_eq!(what(text), "a number", "{text}");
        }
        assert_eq!((what("true"), what("~"), what("")), ("true or false", "nothing", "nothing"));
    }

    #[test]
    fn the_text_stays_as_written() {
        for text in ["007", "1.10", "0xFF", "TRUE"] {
            assert_eq!(Scalar::plain(text.to_owned()).text(), Some(text));
        }
    }
}
