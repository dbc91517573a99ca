//! What can go wrong with a folder.

use std::path::PathBuf;

/// An error of the store. The text says what to do; the cause stands in the source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has the folder.
    #[error(
        "the folder {0} is in use by another process: stop that one first, or give another folder \
         数据目录正被另一进程使用：请先停止该进程，或换一个目录"
    )]
    InUse(PathBuf),
    /// The folder was written by a newer release.
    #[error(
        "the folder {path} has format {found}, this program knows up to {known}: start the release that wrote it \
         数据目录格式为 {found}，本程序最高支持 {known}：请使用写入该目录的版本"
    )]
    NewerFormat {
        /// The folder.
        path: PathBuf,
        /// Format in the folder.
        found: u32,
        /// Newest format known here.
        known: u32,
    },
    /// The folder was written by an older release, and is only to be read.
    #[error(
        "the folder {path} has format {found}, this program writes {known}: start `swabline serve` on it once, which brings it \
         to the new format, or use the release that wrote it \
         数据目录格式为 {found}，本程序写入 {known}：请先用 swabline serve 启动一次以升级，或使用写入该目录的版本"
    )]
    OlderFormat {
        /// The folder.
        path: PathBuf,
        /// Format in the folder.
        found: u32,
        /// Format that this program writes.
        known: u32,
    },
    /// A folder is live or drill for ever.
    #[error(
        "the folder {path} is a {found} folder and was asked for as {wanted}: drills and live data never mix; \
         say --drill for a drill, or give another folder \
         目录类型为 {found}，要求的是 {wanted}：演练与实战数据不得混用；演练请加 --drill，或换一个目录"
    )]
    OtherKind {
        /// The folder.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// Not a folder of ours, or its description is damaged.
    #[error("{path} is not a swabline folder: {problem} 不是 swabline 数据目录")]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Acknowledged facts are not in the log.
    #[error(
        "the log ends at {log_ends}, but {acknowledged} was acknowledged: facts are missing; restore the folder, do not go on \
         日志止于 {log_ends}，但已确认至 {acknowledged}：数据缺失，请恢复备份后再启动"
    )]
    AcknowledgedMissing {
        /// Last sequence in the log.
        log_ends: u64,
        /// Last sequence acknowledged.
        acknowledged: u64,
    },
    /// A stored value does not decode.
    #[error("a stored value is damaged: {what} 存储数据损坏：{what}")]
    Damaged {
        /// Key kind and key.
        what: String,
    },
    /// The folder failed before, beside the commit path.
    #[error(
        "the folder failed before, nothing is written to it again: {0} 数据目录此前已出现故障，不再写入"
    )]
    Failed(String),
    /// The disk is full.
    #[error(
        "no space left for the data folder: free some, then start again 磁盘空间不足：请释放空间后重新启动"
    )]
    DiskFull(#[source] rocksdb::Error),
    /// RocksDB refused.
    #[error("the database reports a fault 数据库故障")]
    Database(#[source] rocksdb::Error),
    /// A file could not be read or written.
    #[error("cannot use {path} 无法读写文件")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl From<rocksdb::Error> for Error {
    fn from(error: rocksdb::Error) -> Self {
        // The crate has no subcode for it; the text is the only witness.
        if error.as_ref().contains("No space left") {
            Error::DiskFull(error)
        } else {
            Error::Database(error)
        }
    }
}

impl Error {
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::File { path, source }
    }

    /// The error with its causes, for logs and for the operator.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
