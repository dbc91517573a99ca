//! Reading back: every acknowledged number must have arrived at its source, and tubes taken at
//! random must be there with all their people.

use crate::api::{GetSourceRequest, GetTubeRequest, SourceEpoch};
use crate::connect::Target;
use crate::exit::Verdict;
use crate::load::Load;
use crate::schedule::mix;
use crate::tally::Ranges;
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

/// How long a server may take for an answer, and the pause before it is asked again.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);
/// The same.
const PAUSE: Duration = Duration::from_millis(500);
/// Texts about missing things that are kept.
const TEXTS_MAX: usize = 5;

/// What reading back found.
#[derive(Clone, Debug, Default)]
pub struct ReadBack {
    /// Sources asked for.
    pub sources: u64,
    /// Tubes asked for.
    pub tubes: u64,
    /// Acknowledged numbers that have not arrived.
    pub numbers_missing: u64,
    /// Tubes that are not there, or not with all their people.
    pub tubes_wrong: u64,
    /// Acknowledged numbers of which the server's list of gaps was too short to tell.
    pub untold: u64,
    /// Some of it in words.
    pub texts: Vec<String>,
    /// Why not all of it could be asked for.
    pub unread: Option<String>,
}

impl ReadBack {
    /// In words.
    pub fn lines(&self) -> Vec<String> {
        let unread = self.unread.as_ref().map(|why| {
            format!("COULD NOT BE READ BACK: {why}. What is missing is not known; read until then:")
        });
        let asked = format!(
            "{} sources and {} tubes: {} facts missing, {} tubes wrong, {} not told",
            self.sources, self.tubes, self.numbers_missing, self.tubes_wrong, self.untold
        );
        unread.into_iter().chain([asked]).chain(self.texts.iter().cloned()).collect()
    }

    fn say(&mut self, text: String) {
        if self.texts.len() < TEXTS_MAX {
            self.texts.push(text);
        }
    }
}

/// What follows from it for how the program ends.
pub fn verdict(found: Option<&ReadBack>) -> Verdict {
    let is_missing = found.is_some_and(|found| found.numbers_missing + found.tubes_wrong > 0);
    let is_unread = found.is_some_and(|found| found.unread.is_some());
    Verdict { is_missing, is_unread, is_broken: false }
}

/// Asks the server, again and again while it is away.
struct Asker<'a> {
    target: &'a Target,
    channel: Option<Channel>,
    has_told: bool,
}

impl Asker<'_> {
    /// The answer to a question, or why there is none.
    async fn ask<T>(&mut self, question: impl AsyncFn(&Channel) -> Result<T, Status>) -> Result<T> {
        let (begun, away) = (Instant::now(), self.target.away);
        loop {
            let why = match self.ask_once(&question).await {
                Ok(answer) => return Ok(answer),
                Err(why) => why,
            };
            if is_for_good(&why) || begun.elapsed() >= away {
                return Err(why);
            }
            if !self.has_told {
                self.has_told = true;
                let seconds = away.as_secs();
                eprintln!("loadtest: reading back: {why:#}; tried again for up to {seconds} s");
            }
            sleep(PAUSE).await;
        }
    }

    async fn ask_once<T>(
        &mut self,
        question: &impl AsyncFn(&Channel) -> Result<T, Status>,
    ) -> Result<T> {
        let channel = match &self.channel {
            Some(channel) => channel,
            None => self.channel.insert(self.target.server.channel().await?),
        };
        let answer = timeout(ANSWER_PATIENCE, question(channel)).await;
        let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer")));
        if answer.is_err() {
            self.channel = None;
        }
        Ok(answer?)
    }
}

/// True when asking again would bring the same.
fn is_for_good(why: &anyhow::Error) -> bool {
    let code = why.downcast_ref::<Status>().map(Status::code);
    matches!(
        code,
        Some(
            Code::InvalidArgument
                | Code::NotFound
                | Code::PermissionDenied
                | Code::Unauthenticated
                | Code::Unimplemented
        )
    )
}

/// Reads back every source and `tubes` tubes, as far as the server answers.
pub async fn read_back(
    target: &Target,
    load: &Load,
    acknowledged: &Ranges,
    tubes: usize,
) -> ReadBack {
    let mut found = ReadBack::default();
    let asker = Asker { target, channel: None, has_told: false };
    let read = found.read(asker, load, acknowledged, tubes).await;
    found.unread = read.err().map(|why| format!("{why:#}"));
    found
}

impl ReadBack {
    async fn read(
        &mut self,
        mut asker: Asker<'_>,
        load: &Load,
        acknowledged: &Ranges,
        tubes: usize,
    ) -> Result<()> {
        let found = self;
        let sign_in = &asker.target.admin;
        for (device, ranges) in acknowledged {
            let source = load.numbers.source(*device);
            let request = GetSourceRequest { source: source.clone() };
            let reply = asker
                .ask(async |channel| {
                    let reply = sign_in.recording(channel).get_source(request.clone()).await;
                    reply.map(Response::into_inner)
                })
                .await;
            let reply = reply.with_context(|| format!("asking for source {source}"))?;
            let epoch = reply.epochs.iter().find(|epoch| epoch.epoch == load.numbers.epoch());
            let (missing, untold) = not_arrived(ranges, epoch);
            if missing > 0 {
                found.say(format!("{source}: {missing} acknowledged facts have not arrived"));
            }
            found.sources += 1;
            found.numbers_missing += missing;
            found.untold += untold;
        }

        for (device, number) in some_of(acknowledged, tubes) {
            let tube = load.numbers.barcode(device, number);
            let request = GetTubeRequest { tube: tube.clone(), with_proofs: false };
            let there = asker
                .ask(async |channel| {
                    match sign_in.queries(channel).get_tube(request.clone()).await {
                        Ok(reply) => Ok(reply.into_inner().tube),
                        Err(status) if status.code() == Code::NotFound => Ok(None),
                        Err(status) => Err(status),
                    }
                })
                .await;
            let there = there.with_context(|| format!("asking for tube {tube}"))?;
            found.tubes += 1;
            let people = load.people_in(device, number);
            match there {
                Some(there) if there.code == tube && there.swabs == people => {}
                Some(there) => {
                    found.tubes_wrong += 1;
                    found.say(format!("{tube}: {} swabs, not {people}", there.swabs));
                }
                None => {
                    found.tubes_wrong += 1;
                    found.say(format!("{tube}: acknowledged and not there"));
                }
            }
        }
        Ok(())
    }
}

/// How many of the numbers a source has not, and of how many it does not say.
fn not_arrived(ranges: &[(u64, u64)], epoch: Option<&SourceEpoch>) -> (u64, u64) {
    let Some(epoch) = epoch else {
        return (ranges.iter().map(|(first, last)| last - first + 1).sum(), 0);
    };
    // Beyond the last gap that is given, a shortened list says nothing.
    let told_to = match (epoch.gaps_truncated, epoch.gaps.last()) {
        (true, Some(gap)) => gap.last,
        (true, None) => epoch.watermark,
        (false, _) => u64::MAX,
    };
    let (mut missing, mut untold) = (0, 0);
    for number in ranges.iter().flat_map(|(first, last)| *first..=*last) {
        if number > epoch.highest {
            missing += 1;
        } else if number > told_to {
            untold += 1;
        } else if number > epoch.watermark {
            let next = epoch.gaps.partition_point(|gap| gap.last < number);
            missing += u64::from(epoch.gaps.get(next).is_some_and(|gap| gap.first <= number));
        }
    }
    (missing, untold)
}

/// Acknowledged tubes taken at random, the same ones each time.
fn some_of(acknowledged: &Ranges, count: usize) -> Vec<(u32, u64)> {
    let ranges: Vec<_> = acknowledged
        .iter()
        .flat_map(|(device, ranges)| ranges.iter().map(|(first, last)| (*device, *first, *last)))
        .collect();
    let total: u64 = ranges.iter().map(|(_, first, last)| last - first + 1).sum();
    let nth = |mut place: u64| {
        for (device, first, last) in &ranges {
            let length = last - first + 1;
            if place < length {
                return Some((*device, first + place));
            }
            place -= length;
        }
        None
    };
    let places = (0..count as u64).map(|seed| mix(seed).checked_rem(total));
    places.map_while(|place| nth(place?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::NumberRange;
    use crate::connect::Server;
    use crate::load::Numbers;
    use crate::order::Order;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn epoch(
        watermark: u64,
        highest: u64,
        gaps: &[(u64, u64)],
        gaps_truncated: bool,
    ) -> SourceEpoch {
        let gaps = gaps.iter().map(|(first, last)| NumberRange { first: *first, last: *last });
        SourceEpoch { epoch: 1, watermark, highest, gaps: gaps.collect(), gaps_truncated }
    }

    async fn target(at: std::net::SocketAddr, away: Duration) -> Target {
        let server = Server::new(&format!("http://{at}"), false, None).await.unwrap();
        let desk = server.sign_in(None).unwrap();
        Target { server, desk: desk.clone(), admin: desk, files: 64, away }
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_asked_again_and_one_that_says_no_is_not() {
        let there = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let target = target(there.local_addr().unwrap(), Duration::from_secs(3_600)).await;
        for (code, is_answered, tries) in [
            (Code::Unavailable, true, 3),
            (Code::Unknown, true, 3),
            (Code::PermissionDenied, false, 1),
        ] {
            let mut asker = Asker { target: &target, channel: None, has_told: true };
            let asked = AtomicU32::new(0);
            let answer = asker.ask(async |_| match asked.fetch_add(1, Ordering::Relaxed) {
                0 | 1 => Err(Status::new(code, "away")),
                _ => Ok(()),
            });
            assert_eq!(answer.await.is_ok(), is_answered, "{code:?}");
            assert_eq!(asked.into_inner(), tries, "{code:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_come_back_is_told_and_not_called_a_loss() {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let target = target(gone.local_addr().unwrap(), Duration::ZERO).await;
        drop(gone);
        let load = Order::default().load(Numbers::of_this_moment(), "R".into(), 1);
        let found = read_back(&target, &load, &Ranges::from([(0, vec![(1, 3)])]), 5).await;
        assert_eq!((found.sources, found.tubes, found.numbers_missing), (0, 0, 0));
        let lines = found.lines();
        assert!(lines[0].starts_with("COULD NOT BE READ BACK: asking for source"), "{lines:?}");
        assert_eq!(verdict(Some(&found)).number(), 4);
        assert_eq!(verdict(Some(&ReadBack { tubes_wrong: 1, ..found })).number(), 3);
        assert_eq!(verdict(Some(&ReadBack::default())).number(), 0);
    }

    #[test]
    fn an_acknowledged_number_in_a_gap_is_missing() {
        let arrived = epoch(10, 30, &[(11, 12), (20, 20)], false);
        assert_eq!(not_arrived(&[(1, 10), (13, 19), (21, 30)], Some(&arrived)), (0, 0));
        assert_eq!(not_arrived(&[(10, 13)], Some(&arrived)), (2, 0));
        assert_eq!(not_arrived(&[(20, 21)], Some(&arrived)), (1, 0));
        assert_eq!(not_arrived(&[(30, 32)], Some(&arrived)), (2, 0));
    }

    #[test]
    fn a_source_that_is_not_there_misses_everything() {
        assert_eq!(not_arrived(&[(1, 3), (5, 5)], None), (4, 0));
    }

    #[test]
    fn what_a_short_list_does_not_tell_is_not_called_missing() {
        let arrived = epoch(10, 30, &[(11, 12)], true);
        assert_eq!(not_arrived(&[(1, 30)], Some(&arrived)), (2, 18));
    }

    #[test]
    fn tubes_are_taken_from_what_was_acknowledged() {
        let acknowledged = Ranges::from([(1, vec![(1, 3)]), (7, vec![(5, 5), (9, 10)])]);
        let all = [(1, 1), (1, 2), (1, 3), (7, 5), (7, 9), (7, 10)];
        let some = some_of(&acknowledged, 100);
        assert_eq!(some.len(), 100);
        assert!(some.iter().all(|one| all.contains(one)));
        assert!(some_of(&Ranges::new(), 5).is_empty());
    }
}
