use secret::Secret;
use serde_json::{Map, Value};

/// A JSON document with secrets in it: its texts are zeroed when it is dropped.
pub(crate) struct Document(Value);

impl Document {
    /// Parses an object.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let document = Self(serde_json::from_slice(bytes).ok()?);
        document.0.is_object().then_some(document)
    }

    /// The value at a path of names.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.0, |value, name| value.get(name))
    }

    /// The text at a path; an empty one is none.
    pub(crate) fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str().filter(|text| !text.is_empty())
    }

    /// The secret text at a path; an empty one is none.
    pub(crate) fn secret(&self, path: &[&str]) -> Option<Secret> {
        self.text(path).map(Secret::from)
    }

    /// The object at a path, to change it.
    pub(crate) fn object(&mut self, path: &[&str]) -> Option<&mut Map<String, Value>> {
        path.iter().try_fold(&mut self.0, |value, name| value.get_mut(name))?.as_object_mut()
    }

    /// As text again: in lines when `like` is, else in one.
    pub(crate) fn to_text(&self, like: &[u8]) -> Option<Secret> {
        // One buffer that never has to grow, so that no copy stays behind.
        let mut text = Vec::with_capacity(2 * like.len() + 64 * 1024);
        let in_lines = like.trim_ascii().contains(&b'\n');
        let written =
            if in_lines { serde_json::to_writer_pretty(&mut text, &self.0) } else { serde_json::to_writer(&mut text, &self.0) };
        let text = Secret::new(text);
        written.ok().map(|()| text)
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        zero(&mut self.0);
    }
}

fn zero(value: &mut Value) {
    match value {
        Value::String(text) => drop(Secret::new(std::mem::take(text))),
        Value::Array(values) => values.iter_mut().for_each(zero),
        Value::Object(members) => members.values_mut().for_each(zero),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::Document;

    #[test]
    fn what_is_not_changed_stays_as_it_is() {
        for text in [r#"{"a":{"n":1234567890123456789,"t":"x"},"b":[true,null]}"#, "{\n  \"a\": {\n    \"t\": \"x\"\n  }\n}"] {
            let mut document = Document::parse(text.as_bytes()).unwrap();
            assert_eq!(document.to_text(text.as_bytes()).unwrap().reveal(), text.as_bytes());
            document.object(&["a"]).unwrap().insert("t".into(), "y".into());
            let changed = document.to_text(text.as_bytes()).unwrap();
            assert_eq!(String::from_utf8_lossy(changed.reveal()), text.replace("\"x\"", "\"y\""));
        }
    }

    #[test]
    fn only_an_object_is_a_document() {
        assert!(Document::parse(b"[1]").is_none() && Document::parse(b"{").is_none());
        let document = Document::parse(br#"{"a":{"b":""},"c":7}"#).unwrap();
        assert!(document.text(&["a", "b"]).is_none() && document.text(&["c"]).is_none() && document.text(&["x", "y"]).is_none());
    }
}
