//! Keys of rounds, and the person keys made with them. The key files lie outside the data folder:
//! who has only the folder cannot tell who anybody is, and destroying a round's key erases its
//! people.

mod lanes;

use crate::domain::PersonKey;
use crate::domain::words::coded;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

/// Most keys that a person query tries.
pub const KEYS_MAX: usize = 64;

/// Longest document number after normalising, in bytes.
pub const NUMBER_BYTES_MAX: usize = 64;

coded! {
    /// What kind of document a number belongs to.
    DocumentType {
        ResidentId = 1, "resident identity card", "居民身份证";
        Passport = 2, "passport", "护照";
        HongKongMacaoPermit = 3, "travel permit for Hong Kong and Macao residents", "港澳居民来往内地通行证";
        TaiwanPermit = 4, "travel permit for Taiwan residents", "台湾居民来往大陆通行证";
        PermanentResident = 5, "foreign permanent resident card", "外国人永久居留身份证";
        Other = 9, "other", "其他";
    }
}

/// What can go wrong with keys.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key of a round is not there.
    #[error(
        "the key {id} is missing: put {id}.key back into {dir} from its safe copy, or create {id}.destroyed there \
         to say that it was destroyed on purpose \
         密钥 {id} 缺失：请从备份恢复 {id}.key 到 {dir}；如已按规定销毁，请在该目录建立 {id}.destroyed"
    )]
    Missing {
        /// The key.
        id: String,
        /// Where it should be.
        dir: PathBuf,
    },
    /// The key was destroyed on purpose.
    #[error(
        "the key {0} was destroyed: its round's people are erased 密钥 {0} 已销毁：该轮次人员信息已清除"
    )]
    Destroyed(String),
    /// A key file is not what it should be.
    #[error("{path} is not a key file: {problem} 密钥文件无效")]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
    /// A key's name is not usable as a file name.
    #[error(
        "{0:?} is no name for a key: use letters, digits, '-' and '_' 密钥名称只能用字母、数字、- 和 _"
    )]
    Name(String),
    /// Too many keys.
    #[error(
        "there are already {KEYS_MAX} keys: destroy those of rounds that are over 密钥数量已达上限，请销毁已结束轮次的密钥"
    )]
    TooMany,
    /// A document number that cannot be one.
    #[error(
        "the document number is empty or longer than {NUMBER_BYTES_MAX} bytes 证件号为空或过长"
    )]
    Number,
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

/// The keys of a folder.
pub struct KeyRing {
    dir: PathBuf,
    keys: RwLock<BTreeMap<String, Arc<[u8; 32]>>>,
}

impl KeyRing {
    /// Reads every key of a folder; makes the folder when there is none.
    ///
    /// # Errors
    /// When the folder or a key file cannot be used.
    pub fn open(dir: &Path) -> Result<KeyRing, Error> {
        let file = |source| Error::File { path: dir.into(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(file)?;
        let mut keys = BTreeMap::new();
        for entry in fs::read_dir(dir).map_err(file)? {
            let path = entry.map_err(file)?.path();
            if path.extension().is_some_and(|ext| ext == "key") {
                let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                keys.insert(id, Arc::new(read_key(&path)?));
            }
        }
        Ok(KeyRing { dir: dir.into(), keys: RwLock::new(keys) })
    }

    /// Makes a key, unless it is there already.
    ///
    /// # Errors
    /// When the name is no file name, when the key was destroyed, or when it cannot be written.
    pub fn create(&self, id: &str) -> Result<(), Error> {
        let usable = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || id.len() > 64 || !id.chars().all(usable) {
            return Err(Error::Name(id.to_owned()));
        }
        if self.keys().contains_key(id) {
            return Ok(());
        }
        if self.keys().len() >= KEYS_MAX {
            return Err(Error::TooMany);
        }
        if self.dir.join(format!("{id}.destroyed")).exists() {
            return Err(Error::Destroyed(id.to_owned()));
        }
        let (path, new) =
            (self.dir.join(format!("{id}.key")), self.dir.join(format!("{id}.key.new")));
        let write = || {
            let mut key = [0_u8; 32];
            fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
            // Whole or not at all: half a key would keep the service from starting.
            let _ = fs::remove_file(&new);
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&new)?;
            file.write_all(blake3::Hash::from_bytes(key).to_hex().as_bytes())?;
            file.sync_all()?;
            fs::hard_link(&new, &path)?;
            fs::remove_file(&new)?;
            fs::File::open(&self.dir)?.sync_all()?;
            Ok(key)
        };
        let key = write().map_err(|source| Error::File { path: path.clone(), source })?;
        self.keys
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(id.to_owned(), Arc::new(key));
        Ok(())
    }

    fn keys(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Arc<[u8; 32]>>> {
        self.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The names of all keys.
    pub fn ids(&self) -> Vec<String> {
        self.keys().keys().cloned().collect()
    }

    /// That a key is there.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Destroyed`], which say what to do.
    pub fn check(&self, id: &str) -> Result<(), Error> {
        self.key(id).map(drop)
    }

    fn key(&self, id: &str) -> Result<Arc<[u8; 32]>, Error> {
        if let Some(key) = self.keys().get(id) {
            return Ok(Arc::clone(key));
        }
        if self.dir.join(format!("{id}.destroyed")).exists() {
            return Err(Error::Destroyed(id.to_owned()));
        }
        Err(Error::Missing { id: id.to_owned(), dir: self.dir.clone() })
    }

    /// The key of a round, to name many people with: finding it takes a lock, using it none.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Destroyed`], which say what to do.
    pub fn round(&self, id: &str) -> Result<RoundKey, Error> {
        self.key(id).map(RoundKey)
    }

    /// The key of a person in a round, and whether the number's own check digit is wrong.
    ///
    /// # Errors
    /// When the round's key is not there, or when the number cannot be one.
    pub fn person(
        &self,
        id: &str,
        kind: DocumentType,
        number: &str,
    ) -> Result<(PersonKey, bool), Error> {
        self.round(id)?.person(kind, number)
    }
}

/// The key of one round. It has no Debug that prints it.
#[derive(Clone)]
pub struct RoundKey(Arc<[u8; 32]>);

impl RoundKey {
    /// The key of a person in the round, and whether the number's own check digit is wrong.
    ///
    /// # Errors
    /// [`Error::Number`] when the number cannot be one.
    pub fn person(&self, kind: DocumentType, number: &str) -> Result<(PersonKey, bool), Error> {
        let document = Document::new(kind, number)?;
        Ok((self.key(&document), document.check_failed))
    }

    /// The key of the person with this document.
    pub fn key(&self, document: &Document) -> PersonKey {
        PersonKey(document.key_alone(&self.0))
    }

    /// The keys of many people in the round, in their order: hashed four at a time.
    pub fn people(&self, documents: &[Document]) -> Vec<PersonKey> {
        let (fours, rest) = documents.as_chunks();
        let alone = rest.iter().map(|document| document.key_alone(&self.0));
        fours.iter().flat_map(|four| keys_of(&self.0, four)).chain(alone).map(PersonKey).collect()
    }
}

impl std::fmt::Debug for RoundKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RoundKey(..)")
    }
}

/// Somebody's document as it is hashed: type and normalised number. Not printed, not kept.
#[derive(Clone, Copy)]
pub struct Document {
    /// Type and number; the rest is nought.
    input: [u8; 1 + NUMBER_BYTES_MAX],
    bytes: usize,
    check_failed: bool,
}

impl Document {
    /// A document with this number, as it was typed.
    ///
    /// # Errors
    /// [`Error::Number`] when the number cannot be one.
    pub fn new(kind: DocumentType, number: &str) -> Result<Document, Error> {
        // Most numbers come clean; only the others are written anew.
        let clean = number.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        let number = if clean { Cow::Borrowed(number) } else { Cow::Owned(normalise(number)) };
        if number.is_empty() || number.len() > NUMBER_BYTES_MAX {
            return Err(Error::Number);
        }
        let mut input = [0; 1 + NUMBER_BYTES_MAX];
        input[0] = kind.number();
        input[1..=number.len()].copy_from_slice(number.as_bytes());
        let check_failed = kind == DocumentType::ResidentId && !resident_id_holds(&number);
        Ok(Document { input, bytes: 1 + number.len(), check_failed })
    }

    /// True when the number's own check digit is wrong.
    pub fn check_failed(&self) -> bool {
        self.check_failed
    }

    /// The block that it is hashed in; `None` when it is longer than one.
    fn block(&self) -> Option<&[u8; lanes::BLOCK]> {
        self.input.first_chunk().filter(|block| self.bytes <= block.len())
    }

    fn key_alone(&self, key: &[u8; 32]) -> [u8; 16] {
        let mut person = [0; 16];
        person
            .copy_from_slice(&blake3::keyed_hash(key, &self.input[..self.bytes]).as_bytes()[..16]);
        person
    }
}

/// The keys of four people under a round's key, beside each other where all of them are short enough.
fn keys_of(key: &[u8; 32], four: &[Document; lanes::LANES]) -> [[u8; 16]; lanes::LANES] {
    match four.each_ref().map(Document::block) {
        [Some(a), Some(b), Some(c), Some(d)] => {
            lanes::keyed(key, [a, b, c, d], four.map(|document| document.bytes as u32))
        }
        _ => four.map(|document| document.key_alone(key)),
    }
}

/// A number as it is compared: full-width characters as half-width ones, capitals, no blanks and
/// no hyphens. People type the same number in all these ways.
pub fn normalise(number: &str) -> String {
    number
        .chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            c => c,
        })
        .filter(|c| !c.is_whitespace() && *c != '-')
        .flat_map(char::to_uppercase)
        .collect()
}

/// True when a resident identity number is right by its own check digit (GB 11643-1999, which is
/// ISO 7064 MOD 11-2). The old numbers of 15 digits have none.
pub fn resident_id_holds(number: &str) -> bool {
    let bytes = number.as_bytes();
    match bytes {
        _ if bytes.len() == 15 => bytes.iter().all(u8::is_ascii_digit),
        [digits @ .., check] if bytes.len() == 18 && digits.iter().all(u8::is_ascii_digit) => {
            *check == resident_id_check(digits)
        }
        _ => false,
    }
}

/// The check character of the first 17 digits.
pub fn resident_id_check(digits: &[u8]) -> u8 {
    // The weight of a place is a power of two mod 11; the list is read from the last digit on.
    const WEIGHTS: [u16; 10] = [2, 4, 8, 5, 10, 9, 7, 3, 6, 1];
    let weighed = digits.iter().rev().zip(WEIGHTS.iter().cycle());
    let sum: u16 = weighed.map(|(digit, weight)| u16::from(digit - b'0') * weight).sum();
    match (12 - sum % 11) % 11 {
        10 => b'X',
        value => b'0' + value as u8,
    }
}

fn read_key(path: &Path) -> Result<[u8; 32], Error> {
    let text =
        fs::read_to_string(path).map_err(|source| Error::File { path: path.into(), source })?;
    blake3::Hash::from_hex(text.trim()).map(|hash| *hash.as_bytes()).map_err(|_| Error::NotAKey {
        path: path.into(),
        problem: "expected 64 hexadecimal digits",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_numbers_are_checked_by_their_last_character() {
        let cases = [
            // The specimen number of GB 11643-1999.
            ("11010519491231002X", true),
            ("110105194912310021", false),
            ("440524188001010014", true),
            ("440524188001010015", false),
            ("130503670401001", true),
            ("13050367040100X", false),
            ("", false),
            ("1101051949123100", false),
        ];
        for (number, holds) in cases {
            assert_eq!(resident_id_holds(number), holds, "{number}");
        }
    }

    fn person_key(
        key: &[u8; 32],
        kind: DocumentType,
        number: &str,
    ) -> Result<(PersonKey, bool), Error> {
        RoundKey(Arc::new(*key)).person(kind, number)
    }

    /// Ten in a tube, and any other number of them; some too long for a block.
    #[test]
    fn many_have_the_keys_that_each_has_alone() {
        let round = RoundKey(Arc::new([9; 32]));
        for count in 0..=21 {
            let number = |n: usize| match n % 7 {
                6 => "E".repeat(NUMBER_BYTES_MAX - n % 2),
                _ => format!("{:018}", n * 7_919),
            };
            let kind = |n: usize| [DocumentType::ResidentId, DocumentType::Passport][n % 2];
            let documents: Vec<_> =
                (0..count).map(|n| Document::new(kind(n), &number(n)).unwrap()).collect();
            let alone = |n: usize| round.person(kind(n), &number(n)).unwrap();
            assert_eq!(
                round.people(&documents),
                (0..count).map(|n| alone(n).0).collect::<Vec<_>>()
            );
            for (n, document) in documents.iter().enumerate() {
                assert_eq!(document.check_failed(), alone(n).1);
            }
        }
    }

    #[test]
    fn one_person_has_one_key_however_the_number_is_typed() {
        let key = [7; 32];
        let (person, _) = person_key(&key, DocumentType::ResidentId, "11010519491231002X").unwrap();
        for typed in
            ["11010519491231002x", " 110105 19491231 002X ", "１１０１０５１９４９１２３１００２Ｘ"]
        {
            assert_eq!(
                person_key(&key, DocumentType::ResidentId, typed).unwrap(),
                (person, false),
                "{typed}"
            );
        }
        let passport = person_key(&key, DocumentType::Passport, "11010519491231002X").unwrap().0;
        assert_ne!(passport, person, "another document is another person");
        assert_ne!(
            person_key(&[8; 32], DocumentType::ResidentId, "11010519491231002X").unwrap().0,
            person
        );
    }

    #[test]
    fn a_key_is_the_keyed_hash_of_type_and_number_also_when_many_are_made() {
        let dir = tempfile::tempdir().unwrap();
        let ring = KeyRing::open(dir.path()).unwrap();
        ring.create("r1").unwrap();
        let round = ring.round("r1").unwrap();
        for (kind, number) in [
            (DocumentType::ResidentId, "11010519491231002X".to_owned()),
            (DocumentType::Other, "9".to_owned()),
            (DocumentType::Passport, "E".repeat(63)),
            (DocumentType::Passport, "E".repeat(NUMBER_BYTES_MAX)),
        ] {
            let mut hasher = blake3::Hasher::new_keyed(&ring.key("r1").unwrap());
            hasher.update(&[kind.number()]).update(number.as_bytes());
            let (key, _) = round.person(kind, &number).unwrap();
            assert_eq!(key.0, hasher.finalize().as_bytes()[..16]);
            assert_eq!(ring.person("r1", kind, &number).unwrap().0, key);
        }
        assert_eq!(format!("{round:?}"), "RoundKey(..)");
        let too_long = "E".repeat(NUMBER_BYTES_MAX + 1);
        assert!(matches!(round.person(DocumentType::Other, &too_long), Err(Error::Number)));
    }

    #[test]
    fn a_missing_key_says_what_to_do_and_a_destroyed_one_that_it_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let ring = KeyRing::open(dir.path()).unwrap();
        let missing = ring.person("r1", DocumentType::Other, "1").unwrap_err().to_string();
        assert!(missing.contains("r1.key") && missing.contains("缺失"), "{missing}");
        ring.create("r1").unwrap();
        let again = KeyRing::open(dir.path()).unwrap();
        assert_eq!(
            ring.person("r1", DocumentType::Other, "1").unwrap(),
            again.person("r1", DocumentType::Other, "1").unwrap()
        );
        fs::remove_file(dir.path().join("r1.key")).unwrap();
        fs::write(dir.path().join("r1.destroyed"), "").unwrap();
        let ring = KeyRing::open(dir.path()).unwrap();
        assert!(matches!(ring.check("r1"), Err(Error::Destroyed(_))));
        assert!(
            matches!(ring.create("r1"), Err(Error::Destroyed(_))),
            "never made anew under its name"
        );
        assert!(matches!(ring.create("../x"), Err(Error::Name(_))));
    }
}
