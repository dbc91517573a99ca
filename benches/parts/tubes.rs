//! Whole tubes of ten people, as the groups after the wire take them.

use swabline::domain::fact::{Body, Event, Fact, FactId, Member, Place, Stamps};
use swabline::domain::world::World;
use swabline::domain::{Code, PersonKey, Time};
use swabline::store::{Commit, Layer};

/// People in a tube.
pub const PEOPLE: u64 = 10;

/// A person that does not exist.
pub fn person(number: u64) -> PersonKey {
    let mut key = [0; 16];
    key.copy_from_slice(&blake3::hash(&number.to_be_bytes()).as_bytes()[..16]);
    PersonKey(key)
}

/// A tube as it is reported, twenty from each desk.
pub fn fact(number: u64) -> Fact {
    let desk = number / 20 % 2_000;
    let member = |at| Member { person: person(number * PEOPLE + at), id_check_failed: false };
    let body = Body::TubeCollected {
        tube: Code::from(format!("TB{number:012}")),
        pool: 10,
        desk: Code::from(format!("D{desk:05}")),
        device: Code::default(),
        lot: Code::default(),
        members: (0..PEOPLE).map(member).collect(),
    };
    let number = number / 40_000 * 20 + number % 20 + 1;
    let id = FactId { source: Code::from(format!("desk-{desk:05}")), epoch: 1, number };
    Fact { id, captured_at: Time(1_000), round: Code::from("R1"), body }
}

/// A tube as it stands in the log.
pub fn event(seq: u64) -> Event {
    let fact = fact(seq);
    let place = Place { district: "C1".into(), site: "S0001".into(), desk: "D00001".into() };
    let stamps = Stamps {
        recorded_at: Time(1_001),
        round: fact.round.clone(),
        place: Some(place),
        ..Stamps::default()
    };
    Event { seq, fact, stamps, found: Default::default() }
}

/// Folds events into an empty world, as the engine does with a batch.
pub fn fold(world: &mut World, events: &mut [Event]) -> Layer {
    for event in events.iter() {
        event.fact.body.tubes().for_each(|tube| world.load_tube(tube.clone(), None));
    }
    events.iter_mut().for_each(|event| world.apply(event));
    let mut changes = world.settle();
    world.settle_people(&mut changes);
    let cells = changes.deltas.0.into_iter();
    let layer = Layer::new(events, world, cells, std::iter::empty(), &changes.odd);
    world.accept(0);
    layer
}

/// A batch of tubes that has been decided.
pub fn commit(first: u64, count: u64) -> Commit {
    let mut events: Vec<Event> = (first..first + count).map(event).collect();
    let layer = fold(&mut World::default(), &mut events);
    Commit { events, layer }
}
