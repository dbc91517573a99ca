//! The words of the trade that everything else is said in: codes, time, and the closed, numbered
//! lists. A number, once given, is never given again: it stands on disks and on wires.

use compact_str::CompactString;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// A code as it was read: tube barcode, box code, desk, laboratory. Never changed after reading.
pub type Code = CompactString;

/// A map by codes or keys. Its hash is seeded at random, as the standard one is, and cheaper on
/// names of twenty bytes, of which every tube costs a dozen.
pub type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// A set of codes or keys, as [`Map`].
pub type Set<K> = HashSet<K, foldhash::fast::RandomState>;

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// This time moved by `ms` milliseconds; stops at the ends of the range, because a device's
    /// clock may send any number.
    pub fn plus_ms(self, ms: i64) -> Time {
        Time(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to `self`, negative when `earlier` is later.
    pub fn ms_since(self, earlier: Time) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// One hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// A person inside one round: a keyed hash of document type and number. Cannot be turned back
/// without the key of the round, and means nothing in another round.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey(pub [u8; 16]);

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "person:")?;
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Declares a closed list whose members have a number, an English and a Chinese name.
macro_rules! coded {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $number:literal, $en:literal, $zh:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vmeta])* #[doc = concat!($en, " ", $zh)] $variant = $number,)+ }

        impl $name {
            /// Every member, in the order of the numbers.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The number that stands on disk and on the wire for ever.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The member with this number, if there is one.
            pub const fn from_number(number: u8) -> Option<$name> {
                match number { $($number => Some($name::$variant),)+ _ => None }
            }

            /// The name of the variant, for machines that read names.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => stringify!($variant),)+ }
            }

            /// What an English-speaking user reads.
            pub const fn en(self) -> &'static str {
                match self { $($name::$variant => $en,)+ }
            }

            /// What a Chinese-speaking user reads.
            pub const fn zh(self) -> &'static str {
                match self { $($name::$variant => $zh,)+ }
            }
        }
    };
}
pub(crate) use coded;

coded! {
    /// Where a tube stands. Every tube has exactly one status, so the parts add up to the total.
    /// The first eight of the registered ones are the stages of its way; the others are outcomes.
    Status {
        Awaiting = 1, "received before its collection is known", "待登记";
        Open = 2, "open", "采样中";
        Sealed = 3, "sealed", "已封管";
        Packed = 4, "packed", "已装箱";
        InTransit = 5, "in transit", "转运中";
        Received = 6, "received", "已接收";
        Plated = 7, "plated", "已上板";
        Resulted = 8, "resulted, not released", "已出结果待发布";
        Released = 9, "released", "已发布";
        Void = 10, "void", "已作废";
        Rejected = 11, "rejected", "已拒收";
        Lost = 12, "lost", "已丢失";
        Reused = 13, "used twice", "重复使用";
    }
}

impl Status {
    /// True for a tube that still has to move: nothing ends its way.
    pub const fn is_moving(self) -> bool {
        !matches!(
            self,
            Status::Released | Status::Void | Status::Rejected | Status::Lost | Status::Reused
        )
    }
}

coded! {
    /// What the laboratory found in a tube, worst first (`Positive` stands over all others).
    Call {
        Positive = 1, "positive", "阳性";
        SingleTarget = 2, "single target positive", "单靶标阳性";
        Grey = 3, "grey zone", "灰区";
        Invalid = 4, "invalid", "无效";
        Negative = 5, "negative", "阴性";
    }
}

impl Call {
    /// True when members of a pool with this call must be recalled.
    pub const fn recalls(self) -> bool {
        matches!(self, Call::Positive | Call::SingleTarget | Call::Grey)
    }

    /// True when `self` is worse than `other`.
    pub fn is_worse_than(self, other: Call) -> bool {
        self < other
    }
}

coded! {
    /// What stands in a control well.
    Control {
        Positive = 1, "positive control", "阳性对照";
        Negative = 2, "negative control", "阴性对照";
        Blank = 3, "blank control", "空白对照";
    }
}

coded! {
    /// How a tube looked at reception.
    Condition {
        Good = 1, "good", "完好";
        Leaking = 2, "leaking", "渗漏";
        Unlabelled = 3, "label unreadable", "标签不清";
        Warm = 4, "arrived warm or too late", "超温或超时";
    }
}

coded! {
    /// Why a laboratory refused a tube.
    RejectReason {
        Leaking = 1, "leaking", "渗漏";
        Unlabelled = 2, "label unreadable", "标签不清";
        NoSwab = 3, "no swab in the tube", "管内无拭子";
        LittleVolume = 4, "too little liquid", "保存液不足";
        OverAge = 5, "too old", "超时送检";
        Other = 6, "other", "其他";
    }
}

coded! {
    /// Why a tube was made void.
    VoidReason {
        Contaminated = 1, "contaminated at the desk", "现场污染";
        Damaged = 2, "damaged", "损坏";
        /// The barcode was misread: the swabs are in another tube, so nobody is swabbed again.
        Misread = 3, "misread barcode, the swabs are in another tube", "误读条码，样本在另一管";
        Other = 4, "other", "其他";
    }
}

coded! {
    /// Why a person has to come back.
    NeedReason {
        PoolPositive = 1, "the pool is positive", "混采阳性";
        PoolSingleTarget = 2, "the pool is single target positive", "混采单靶标阳性";
        PoolGrey = 3, "the pool is in the grey zone", "混采灰区";
        TubeRejected = 11, "the tube was rejected", "样本拒收";
        TubeLost = 12, "the tube was lost", "样本丢失";
        TubeVoid = 13, "the tube is void", "采样管作废";
        ResultInvalid = 14, "the result is invalid", "结果无效";
        TubeReused = 15, "the tube was used twice", "采样管重复使用";
        SingleUnclear = 16, "the single result is unclear", "单采结果不明确";
    }
}

impl NeedReason {
    /// Recalls (复采) follow an unclean pool; all others are recollections (重采).
    pub const fn is_recall(self) -> bool {
        matches!(
            self,
            NeedReason::PoolPositive | NeedReason::PoolSingleTarget | NeedReason::PoolGrey
        )
    }
}

coded! {
    /// The level of a jurisdiction.
    Level {
        City = 1, "city", "市";
        District = 2, "district", "区县";
        Subdistrict = 3, "subdistrict", "街道";
        Community = 4, "community", "社区";
    }
}

coded! {
    /// What a lot number belongs to.
    LotKind {
        Tube = 1, "sampling tubes", "采样管";
        Extraction = 2, "extraction reagent", "提取试剂";
        Pcr = 3, "PCR kit", "扩增试剂";
    }
}
