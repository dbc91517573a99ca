//! Every limit of the API, each with what happens at it. At none of them is a fact lost: what is
//! over a limit is refused with a reason and the advice to split it, and stays with its source.

/// Bytes of one message on a stream. Over it the message is refused with TOO_LARGE and the stream
/// goes on; over [`BATCH_BYTES_MAX`] it is not even decoded, and the stream ends with TOO_LARGE.
pub const STREAM_MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Bytes of a unary request to Recording, Queries, Progress or Planning. Over it the call is refused with
/// TOO_LARGE.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of a request to Administration (5,000 people are about 150 KB, 2,000 items up to 2 MB).
/// Over it the call is refused with TOO_LARGE.
pub const LARGE_MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of an answer. Pages and histories are cut far below it; over it the call fails with
/// TOO_LARGE and the advice to ask for less.
pub const REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Calls that watch progress or forecasts, or a simulation, at a time. More are answered OVERLOADED: a command centre has a
/// dozen screens, and for each the newest answer may wait to be read.
pub const WATCHING_MAX: usize = 1_000;

/// Facts in one message. Over it the message is refused with TOO_LARGE, and nothing of it recorded.
pub const FACTS_MAX: usize = 1_000;

/// Facts in one message that are decoded so that its fault can be told and a stream goes on. Over it the call ends with TOO_LARGE.
pub const FACTS_DECODED_MAX: usize = 8 * FACTS_MAX;

/// Bytes of a code, a name or a reason. Over it the fact is refused with TOO_LARGE.
pub const CODE_BYTES_MAX: usize = 64;

/// People in one tube. Pools of 20 are the largest in use; ten times that is no tube but a mistake
/// of the program that sends it. Over it the fact is refused with TOO_LARGE.
pub const MEMBERS_MAX: usize = 200;

/// Tubes in one fact about a box or a release. Over it the fact is refused with TOO_LARGE: a box
/// may be packed in several facts.
pub const TUBES_MAX: usize = 5_000;

/// Wells and readings of one plate: the largest plate in use has so many. Over it the fact is
/// refused with TOO_LARGE.
pub const WELLS_MAX: usize = 1_536;

/// Targets of a run or a kit. Over it the fact is refused with TOO_LARGE.
pub const TARGETS_MAX: usize = 16;

/// Runs that a review names. Over it the fact is refused with TOO_LARGE.
pub const RUNS_MAX: usize = 64;

/// Items of one import of reference data. Over it the call is refused with TOO_LARGE.
pub const ITEMS_MAX: usize = 2_000;

/// People of one piece of a roster. Over it the call is refused with TOO_LARGE.
pub const ROSTER_PEOPLE_MAX: usize = 5_000;

/// People of one question. Over it the call is refused with TOO_LARGE.
pub const PEOPLE_ASKED_MAX: usize = 500;

/// Rows of a page. A request for more gets so many and a token for the rest.
pub const PAGE_ROWS_MAX: usize = 1_000;

/// Rows of a page when the request does not say.
pub const PAGE_ROWS: usize = 100;

/// Records that one page looks at. A page ends early there and gives a token for the rest.
pub const PAGE_SCAN_MAX: usize = 50_000;

/// Gaps told of one source. The rest is left out and the answer says so.
pub const GAPS_TOLD_MAX: usize = 1_000;

/// Epochs told of one source, newest first. Older ones are left out: a source has one or two.
pub const EPOCHS_TOLD_MAX: usize = 32;

/// Facts in one tube's history that get a proof; those after it come without.
pub const PROOFS_MAX: usize = 200;

/// Codes that a request for progress may name. Over it the call is refused with TOO_LARGE.
pub const FILTER_CODES_MAX: usize = 1_000;

/// Shortest time between two answers of a watch. A request for less gets this.
pub const WATCH_INTERVAL_MS_MIN: u64 = 200;

/// Time between two answers of a watch when the request does not say.
pub const WATCH_INTERVAL_MS: u64 = 1_000;

/// Figures of people are not worked out again within this time: all askers share them.
pub const PEOPLE_AGE_MS_MAX: u64 = 5_000;

/// A tube that has to move is silent when nothing was heard of it for so long and the request does
/// not say. Assumed: the guide gives 4 hours from the swab to the laboratory, and 6 to the result.
pub const SILENT_MS: i64 = 6 * 3_600_000;

/// Replications of a simulation when the request does not say. See also `[planner] replications_max`.
pub const REPLICATIONS: u32 = 200;

/// Minutes per tube that a change of laboratories must gain, at most, and when the request does not say. A request for
/// more is refused with INVALID.
pub const PENALTY_MINUTES_MAX: f64 = 100_000.0;
/// See [`PENALTY_MINUTES_MAX`].
pub const PENALTY_MINUTES: f64 = 30.0;

/// Changes of units, and moves of streets, that a plan may be asked about at once. A request for more is refused with
/// INVALID.
pub const CHANGES_MAX: usize = 1_000;

/// Lines of a list of shortages that are told. The rest is counted.
pub const SHORTAGES_TOLD_MAX: usize = 2_000;

/// Lines of shifts, teams, vehicles and trips that are told, seven for a district. The rest is counted.
pub const CREWS_TOLD_MAX: usize = 2_000;

/// Items told with what other layers say beside the list of shortages. The rest is counted.
pub const COMPARED_TOLD_MAX: usize = 2_000;

/// Time between two messages of how far a simulation is.
pub const SIMULATION_PROGRESS_MS: u64 = 250;
