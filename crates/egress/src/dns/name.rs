use hickory_proto::rr::Name;
use policy::{Host, HostError};

/// What a name in a question is to the resolver.
pub(super) enum Asked {
    /// A name that a table can be asked about, or the name of one of the bottle's own services.
    Host(Host),
    /// No name of a host: it cannot exist.
    Nothing,
}

impl Asked {
    /// Reads the labels of `name` (RFC 1035 §3.1) as the host that a program would write them as.
    pub(super) fn of(name: &Name) -> Self {
        // Threat: one label that holds the bytes `evil.example` is not two labels, and an escaped spelling of a label is not
        // the label. Only what the text forms of a host can hold is put together.
        if name.is_root() || name.iter().any(|label| label.contains(&b'.')) {
            return Self::Nothing;
        }
        let text = shown(name);
        match Host::parse(&text) {
            Ok(host @ Host::Name(_)) => Self::Host(host),
            // Threat: `127.0.0.1` as a name; an address needs no resolver, and whoever asks for one hopes for another reading.
            Ok(Host::Address(_)) => Self::Nothing,
            Err(HostError::Reserved(name)) => Self::Host(Host::Name(name.to_ascii_lowercase())),
            Err(
                HostError::Empty
                | HostError::MoreThanHost { .. }
                | HostError::Star(_)
                | HostError::NotAscii(_)
                | HostError::TrailingDot(_)
                | HostError::OddAddress(_)
                | HostError::BadLabel { .. },
            ) => Self::Nothing,
        }
    }
}

/// The name as a text, without its last dot; at most 255 characters. Not escaped: whoever shows it does that.
pub(super) fn shown(name: &Name) -> String {
    let mut text = String::with_capacity(name.len());
    for label in name.iter() {
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(&String::from_utf8_lossy(label));
    }
    if text.is_empty() { ".".to_owned() } else { text }
}
