//! Switches that break one promise each, so that the test of the promise can be seen to fail.
//! Without the feature `breaks` every switch is off and the compiler removes the branch.

/// True when the program was built to be broken and told to break this.
#[cfg(feature = "breaks")]
pub fn on(name: &str) -> bool {
    static WANTED: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    WANTED.get_or_init(|| std::env::var("SWABLINE_BREAK").unwrap_or_default()) == name
}

/// Always off.
#[cfg(not(feature = "breaks"))]
pub const fn on(_name: &str) -> bool {
    false
}
