//! Changes to a city: what they do to its round, and what is refused.
