//! Attacks from inside real bottles, through the program as a person runs it.

mod credential;
mod curl;
mod flood;
mod names;
mod neighbours;
mod unread;
mod world;
