//! Writing a run to a file and taking it in.

use super::super::codec;
use super::super::entry::{Entry, SEQ_BYTES, SEQ_MAX};
use super::super::error::Error;
use super::super::filter::FilterBuilder;
use super::super::keys::{self, RunId};
use super::held::HeldBuilder;
use super::{Head, Run, slot_of};
use rocksdb::{ColumnFamily, DB, IngestExternalFileOptions, SstFileWriter};
use std::path::{Path, PathBuf};

/// Writes one run to a file.
pub struct RunWriter<'a> {
    file: SstFileWriter<'a>,
    path: PathBuf,
    id: RunId,
    head: Head,
    filter: FilterBuilder,
    bucket: u64,
    value: Vec<u8>,
    written: u64,
    /// The same in memory, where there is room for it.
    held: Option<HeldBuilder>,
}

impl<'a> RunWriter<'a> {
    /// `hold` = put down in memory too.
    pub fn new(
        options: &'a rocksdb::Options,
        path: &Path,
        id: RunId,
        head: Head,
        hold: bool,
    ) -> Result<RunWriter<'a>, Error> {
        let path = path.to_owned();
        let mut file = SstFileWriter::create(options);
        file.open(&path)?;
        file.put(keys::run(id, keys::RUN_HEAD), codec::encode(&head))?;
        let filter = FilterBuilder::new(head.count);
        let held = hold.then(|| HeldBuilder::new(&head));
        let (bucket, value, written) = (0, Vec::new(), 0);
        Ok(RunWriter { file, path, id, head, filter, bucket, value, written, held })
    }

    pub fn push(&mut self, entry: &Entry) -> Result<(), Error> {
        assert!(entry.seq <= SEQ_MAX, "an index holds sequences of {SEQ_BYTES} bytes");
        let bucket = entry.prefix(self.head.bits);
        if bucket != self.bucket {
            self.end_bucket()?;
            self.bucket = bucket;
        }
        let (high, low) = entry.words();
        self.value.extend_from_slice(&high.to_be_bytes()[self.head.known_bytes()..]);
        self.value.extend_from_slice(&low.to_be_bytes());
        self.value.extend_from_slice(&entry.seq.to_be_bytes()[8 - SEQ_BYTES..]);
        self.filter.add(entry);
        self.written += 1;
        Ok(())
    }

    fn end_bucket(&mut self) -> Result<(), Error> {
        if !self.value.is_empty() {
            self.file.put(keys::run(self.id, slot_of(self.bucket)), &self.value)?;
            if let Some(held) = &mut self.held
                && held.push(self.bucket as usize, &self.value, &self.head).is_none()
            {
                // It is in the file, and is read from there.
                self.held = None;
            }
            self.value.clear();
        }
        Ok(())
    }

    pub fn ingest(mut self, db: &DB, handle: &ColumnFamily) -> Result<Run, Error> {
        self.end_bucket()?;
        if self.written != self.head.count {
            let what = format!("run {} of an index: {} entries", self.id.to, self.written);
            return Err(Error::Damaged { what });
        }
        let filter = self.filter.finish();
        for (slot, part) in (keys::RUN_FILTER..).zip(filter.parts()) {
            self.file.put(keys::run(self.id, slot), part)?;
        }
        self.file.finish()?;
        let mut ingest = IngestExternalFileOptions::default();
        ingest.set_move_files(true);
        db.ingest_external_file_cf_opts(handle, &ingest, vec![&self.path])?;
        let held = self.held.and_then(|held| held.finish(&self.head));
        let run = Run::new(self.id, self.head, filter);
        run.hold(held);
        Ok(run)
    }
}
