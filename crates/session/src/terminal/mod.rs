//! The person's own terminal: put into another mode and always put back.

mod line;
mod mode;
mod question;

pub use mode::{Mode, ModeGuard, restore_all, size};
pub use question::{ANSWER_MAX, Question, QuestionError, Wanted, ask};
