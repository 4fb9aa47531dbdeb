//! Attacks on the service: what a compromised agent would send. One file is one family; each attack must be refused by a decision of
//! ours, with its code, be recorded once, and leave the server behind untouched.

mod addresses;
mod disagreement;
mod dns;
mod exhaustion;
mod http2;
mod names;
mod neighbours;
mod paths;
mod ports;
mod rebinding;
mod redirects;
mod secrets;
mod trial;
