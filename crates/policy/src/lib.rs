//! What a bottle may reach, as data: the routes of a manifest, each value parsed and checked once, here.
//!
//! Layer 0 and pure: no files, no network, no environment. A [`Route`] that exists is one that makes sense: its host is a
//! host, its regular expressions compile within bounds, and no combination of its settings silently removes a control.
//! A [`Table`] of [`Rule`]s judges what is [`Asked`]; its [`Verdict`]s and [`Refusal`]s are data.

mod asked;
mod auth;
mod cidr;
mod code;
mod dial;
mod dlp;
mod git_push;
mod header_match;
mod host;
mod host_pattern;
mod log_level;
mod method;
mod path_match;
mod path_regex;
mod provider;
mod readings;
mod reference;
mod refusal;
mod request_match;
mod route;
mod rule;
mod shown;
mod table;
mod tls;
mod token_ref;
mod url_target;

pub use self::shown::Shown;
pub use asked::{Asked, Headers, OVERRIDING, Transport};
pub use auth::{Auth, Scheme, SchemeError, UserName, UserNameError};
pub use cidr::{Cidr, CidrError};
pub use code::Code;
pub use dial::{DialError, parse_dial};
pub use dlp::{DetectorError, Detectors, Dlp, InboundDetector, OnMatch, OutboundDetector};
pub use git_push::is_git_push;
pub use header_match::{HeaderMatch, HeaderName, HeaderNameError, HeaderValue, HeaderValueError};
pub use host::{Host, HostError};
pub use host_pattern::HostPattern;
pub use log_level::{LogLevel, LogLevelError};
pub use method::{Method, MethodError, forbidden_method};
pub use path_match::{PathMatch, PathMatchKind, PathValue, PathValueError};
pub use path_regex::{PathRegex, PathRegexError};
pub use provider::{ProviderConflict, ProviderHost, provider_rules};
pub use reference::reference;
pub use refusal::Refusal;
pub use request_match::RequestMatch;
pub use route::{Route, RouteConflict};
pub use rule::{Account, Origin, Rule};
pub use table::{Reach, Table, TableConflict, Verdict};
pub use tls::{TlsMode, TlsModeError};
pub use token_ref::{Login, TokenRef, TokenRefError};
pub use url_target::{UrlError, UrlTarget};
