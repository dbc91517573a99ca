//! Questions about people: one, or several at once.

use super::convert::fact::{Context, NamedRound};
use super::convert::person;
use super::convert::words::{code, word};
use super::errors::Error;
use super::limits::PEOPLE_ASKED_MAX;
use super::pb;
use super::shared::Shared;
use crate::domain::words::{Code, PersonKey};
use crate::engine::query::person as of_person;
use crate::keyring::{self, DocumentType};
use crate::store::Read;

/// The answer about a person; may wait for the disk.
pub fn get(
    shared: &Shared,
    read: &Read,
    wire: &pb::GetPersonRequest,
) -> Result<pb::GetPersonReply, Error> {
    let as_of = shared.as_of();
    let reference = shared.handle.feed().reference();
    let context = shared.context(&reference, None);
    let rounds = rounds(shared, &context, &wire.round)?;
    let keys = keys(&context, &rounds, "person", wire.person.as_ref())?;
    let found = of_person::person(read, &reference, &keys, shared.handle.now())
        .map_err(|error| Error::of_person(error, "person"))?;
    Ok(person::answer(&found, Some(as_of)))
}

/// The same when memory alone can give it; `None` = the disk must be asked.
pub fn get_in_memory(
    shared: &Shared,
    wire: &pb::GetPersonRequest,
) -> Result<Option<pb::GetPersonReply>, Error> {
    let as_of = shared.as_of();
    let reference = shared.handle.feed().reference();
    let context = shared.context(&reference, None);
    let rounds = rounds(shared, &context, &wire.round)?;
    let keys = keys(&context, &rounds, "person", wire.person.as_ref())?;
    let read = shared.handle.read();
    let found = of_person::person_in_memory(read, &reference, &keys, shared.handle.now());
    Ok(found.map(|found| person::answer(&found, Some(as_of))))
}

/// The answers about several people, in the order asked.
pub fn get_many(
    shared: &Shared,
    read: &Read,
    wire: &pb::GetPeopleRequest,
) -> Result<pb::GetPeopleReply, Error> {
    if wire.people.len() > PEOPLE_ASKED_MAX {
        let unit = ("人", "people");
        return Err(Error::TooLarge { field: "people".into(), limit: PEOPLE_ASKED_MAX, unit });
    }
    let as_of = shared.as_of();
    let reference = shared.handle.feed().reference();
    let context = shared.context(&reference, None);
    let (rounds, now) = (rounds(shared, &context, &wire.round)?, shared.handle.now());
    let one = |(at, identity): (usize, &pb::Identity)| {
        let field = format!("people[{at}]");
        let keys = keys(&context, &rounds, &field, Some(identity))?;
        let found = of_person::person(read, &reference, &keys, now)
            .map_err(|error| Error::of_person(error, &field))?;
        Ok(person::answer(&found, None))
    };
    let people = wire.people.iter().enumerate().map(one).collect::<Result<_, Error>>()?;
    Ok(pb::GetPeopleReply { people, as_of: Some(as_of) })
}

/// The round that is named, or each round whose key is here.
fn rounds(shared: &Shared, context: &Context<'_>, named: &str) -> Result<Vec<NamedRound>, Error> {
    if named.is_empty() {
        let of = |id: &String| NamedRound { round: Code::default(), key_id: id.as_str().into() };
        return Ok(shared.keys.ids().iter().take(keyring::KEYS_MAX).map(of).collect());
    }
    Ok(vec![context.round(&code("round", named)?)?])
}

/// The keys of a person in these rounds.
fn keys(
    context: &Context<'_>,
    rounds: &[NamedRound],
    field: &str,
    identity: Option<&pb::Identity>,
) -> Result<Vec<PersonKey>, Error> {
    // Also when there is no key to try, a wrong request is told from an unknown person.
    let said = identity.ok_or_else(|| Error::NoIdentity { field: format!("{field}.number") })?;
    let kind = format_args!("{field}.document_type");
    word(kind, said.document_type, DocumentType::from_number)?;
    let key = |round| context.person(round, field, identity).map(|member| member.person);
    rounds.iter().map(key).collect()
}
