//! Wire to domain and back. Nothing else in this room takes a message apart, so this is where an
//! identity becomes a person key, where limits on content are checked, and where what is refused is
//! told from what is recorded with a discrepancy.

pub mod fact;
pub mod figures;
pub mod history;
pub mod lists;
pub mod person;
pub mod receipt;
pub mod reference;
pub mod tube;
pub mod words;
