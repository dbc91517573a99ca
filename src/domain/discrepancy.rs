//! What can be odd about a record. A discrepancy is derived, never a reason to refuse.

use super::words::coded;

coded! {
    /// What is odd, named as what is so. The number is for ever.
    Discrepancy {
        BarcodeMalformed = 1, "the barcode does not fit the pattern", "条码格式不符";
        BarcodeCheckDigit = 2, "the barcode's check digit is wrong", "条码校验位错误";
        IdentityCheckDigit = 3, "an identity number's check digit is wrong", "证件号校验位错误";
        UnknownDesk = 4, "the desk is not in the reference data", "采样台未登记";
        UnknownDevice = 5, "the device is not in the reference data", "设备未登记";
        UnknownRound = 6, "the round is not in the reference data", "轮次未登记";
        AfterClose = 7, "recorded after the round was closed", "轮次关闭后补录";
        ClockSkewed = 8, "the device's clock is far off", "设备时钟偏差过大";
        LotUnknown = 9, "the tube lot is not in the reference data", "采样管批号未登记";
        LotExpired = 10, "the tube lot has expired", "采样管批号过期";
        UnknownLab = 11, "the laboratory is not in the reference data", "实验室未登记";
        KitUnknown = 12, "the kit is not in the reference data", "试剂盒未登记";
        KitExpired = 13, "the kit lot has expired", "试剂盒批号过期";
        KitLotUnknown = 14, "the kit lot is not in the reference data", "试剂盒批号未登记";
        LabsTooMany = 15, "one unknown laboratory too many: counted under none", "未登记实验室过多：不单独计数";
        PoolOverfilled = 20, "more swabs than the tube is made for", "超过混采人数";
        PoolOfPools = 21, "several tubes in one well", "混管再混";
        TubeReused = 22, "collected again after the seal", "封管后再次使用";
        MemberRepeated = 23, "the same person twice in one tube", "同一人重复入管";
        SealCountDiffers = 24, "the seal's count differs from the members", "封管人数与登记不符";
        DesksDiffer = 25, "collected at two desks", "两个采样台登记同一管";
        WithdrawnUnknown = 26, "the person withdrawn or corrected is not in the tube", "撤销或更正的人员不在管内";
        PoolSizeUnknown = 27, "a pool size other than 1, 5, 10 or 20", "混采规格不符";
        /// Spans two tubes, so it is never stored: `Check` and the people figures find it.
        PersonInTwoTubes = 28, "the same person in two open tubes", "同一人同时在两管";
        BoxesDiffer = 30, "packed in two boxes", "装入两个转运箱";
        BoxTubeMissing = 31, "packed but not in the box at reception", "箱内缺管";
        BoxTubeExtra = 32, "in the box at reception but not packed", "箱内多管";
        LostThenFound = 33, "reported lost, then seen again", "报失后又出现";
        UsedAfterVoid = 34, "handled after it was made void", "作废后仍流转";
        ReleasedAfterRejected = 35, "released although rejected", "拒收后仍发布";
        PlatesDiffer = 40, "loaded on two plates", "上两块板";
        ControlsFailed = 41, "the plate's controls failed", "质控失败";
        RunsDisagree = 42, "runs disagree", "多次检测结果不一致";
        ReleasedThenChanged = 43, "a worse result after release", "发布后结果变差";
        ReleasedWithoutResult = 44, "released without a result", "无结果即发布";
        ReleaseHeld = 45, "released while runs disagree", "结果不一致时发布，已暂停";
        RunWithoutPlate = 46, "a run of a plate that nobody loaded", "检测板未登记";
        PlateReloaded = 47, "the plate was loaded twice", "同一板重复上样";
        ReviewNamesUnknownRun = 48, "a review names a run that is not known", "复核引用未知的上机";
        TargetMissing = 49, "a run lacks a target of the kit", "缺少靶标读数";
        CodeOverused = 50, "more is told of this code than one tube, box or plate can have: what comes now is kept and not taken in", "编号使用次数过多：之后的信息仅存档，不计入";
    }
}

impl Discrepancy {
    /// True for those that depend on what was known when the fact arrived. They are counted apart
    /// and are outside the promise that order does not matter.
    pub const fn is_of_arrival(self) -> bool {
        use Discrepancy::*;
        matches!(
            self,
            UnknownDesk
                | UnknownDevice
                | UnknownRound
                | AfterClose
                | ClockSkewed
                | BarcodeMalformed
                | BarcodeCheckDigit
                | LotUnknown
                | LotExpired
                | UnknownLab
                | LabsTooMany
                | KitUnknown
                | KitExpired
                | KitLotUnknown
                | CodeOverused
        )
    }
}

/// A set of discrepancies, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Discrepancies(pub u64);

impl Discrepancies {
    /// The empty set.
    pub const NONE: Discrepancies = Discrepancies(0);

    /// Adds one.
    pub fn add(&mut self, one: Discrepancy) {
        self.0 |= 1 << one.number();
    }

    /// Adds one when `so`.
    pub fn add_if(&mut self, so: bool, one: Discrepancy) {
        if so {
            self.add(one);
        }
    }

    /// True when `one` is in the set.
    pub fn has(self, one: Discrepancy) -> bool {
        self.0 & (1 << one.number()) != 0
    }

    /// True when nothing is odd.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All that are in either set.
    #[must_use]
    pub fn with(self, other: Discrepancies) -> Discrepancies {
        Discrepancies(self.0 | other.0)
    }

    /// Those that are in `self` and not in `other`.
    #[must_use]
    pub fn without(self, other: Discrepancies) -> Discrepancies {
        Discrepancies(self.0 & !other.0)
    }

    /// The members in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Discrepancy> {
        Discrepancy::ALL.iter().copied().filter(move |one| self.has(*one))
    }
}

impl From<Discrepancy> for Discrepancies {
    fn from(one: Discrepancy) -> Self {
        Discrepancies(1 << one.number())
    }
}

impl FromIterator<Discrepancy> for Discrepancies {
    fn from_iter<I: IntoIterator<Item = Discrepancy>>(all: I) -> Self {
        let mut set = Discrepancies::NONE;
        all.into_iter().for_each(|one| set.add(one));
        set
    }
}
