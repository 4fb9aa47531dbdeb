//! The person's credentials, found on the host and kept in memory: variables, files, commands, and logins that are refreshed
//! by one owner for all bottles.
//!
//! Layer 2. Nothing here reads the environment or opens a connection: both are passed in.

#![forbid(unsafe_code)]
