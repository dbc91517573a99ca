//! Small cities worked out by hand, one fact per line; properties of every city; a largest flow against brute force.
