//! What was recorded can be asked for.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_can_be_asked_for() {
    let house = House::open(Default::default()).await;
    house.round().await;
    let mut admin = client::administration(house.channel.clone());
    let items = vec![
        pb::reference_item::Item::Jurisdiction(pb::Jurisdiction {
            code: "dist".into(),
            parent: String::new(),
            level: pb::Level::District.into(),
            name: "东区".into(),
        }),
        pb::reference_item::Item::Site(pb::Site {
            code: "s".into(),
            jurisdiction: "dist".into(),
            name: "站".into(),
        }),
        pb::reference_item::Item::Desk(pb::Desk { code: "d1".into(), site: "s".into() }),
    ]
    .into_iter()
    .map(|item| pb::ReferenceItem { item: Some(item) })
    .collect();
    admin
        .import_reference(pb::ImportReferenceRequest { fact: said(2), file: "f.csv".into(), items })
        .await
        .unwrap();
    let carol = "130503670401001";
    admin
        .import_roster(pb::ImportRosterRequest {
            fact: said(3),
            round: String::new(),
            roster: "all".into(),
            district: "dist".into(),
            people: vec![who(ALICE), who(carol), who(BOB)],
        })
        .await
        .unwrap();
    let mut progress = ProgressClient::new(house.channel.clone());
    let mut watch = progress
        .watch_progress(pb::WatchProgressRequest { what: None, interval_ms: 200 })
        .await
        .unwrap()
        .into_inner();
    let before = watch.message().await.unwrap().unwrap();
    assert_eq!(before.total.unwrap().tubes, 0);
    let mut recording = house.recording();
    recording
        .record_batch(pb::RecordBatchRequest {
            facts: vec![collected(1, "T1", &[ALICE, BOB])],
            device_now_ms: now(),
        })
        .await
        .unwrap();
    let after = tokio::time::timeout(Duration::from_secs(5), watch.message())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(after.total.unwrap().swabs, 2);
    let told = progress
        .get_progress(pb::GetProgressRequest {
            round: "r1".into(),
            by: pb::GroupBy::District.into(),
            codes: vec![],
            with_people: true,
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (told.rows[0].code.as_str(), told.rows[0].name.as_str(), told.rows[0].tubes),
        ("dist", "东区", 1)
    );
    let people = told.people.unwrap().total.unwrap();
    assert_eq!((people.roster, people.sampled_unresulted, people.missing), (3, 2, 1));
    let mut queries = client::queries(house.channel.clone());
    let missing =
        queries.list_missing(pb::ListMissingRequest::default()).await.unwrap().into_inner();
    let person = missing.people[0].person.clone().unwrap();
    assert_eq!((missing.people.len(), person.fact.unwrap().number, person.position), (1, 3, 1));
    let tube = queries
        .get_tube(pb::GetTubeRequest { tube: "T1".into(), with_proofs: true })
        .await
        .unwrap()
        .into_inner();
    assert_eq!((tube.tube.unwrap().swabs, tube.history.len()), (2, 1));
    let proof = tube.history[0].proof.clone().unwrap();
    assert_eq!(proof.leaf.len(), 32);
    let person = queries
        .get_person(pb::GetPersonRequest {
            person: Some(who(&ALICE.to_lowercase())),
            round: String::new(),
        })
        .await
        .unwrap()
        .into_inner();
    assert!(person.registered);
    assert_eq!(
        (person.gate(), person.samples.len(), person.rounds[0].roster.as_str()),
        (pb::Gate::AtSite, 1, "all")
    );
    let nobody = queries
        .get_person(pb::GetPersonRequest {
            person: Some(who("110101199003070011")),
            round: "r1".into(),
        })
        .await
        .unwrap()
        .into_inner();
    assert!(!nobody.registered);
    // Several at once: the same answers, in the order asked.
    let asked = ["110101199003070011", BOB, ALICE].map(who).to_vec();
    let people = queries
        .get_people(pb::GetPeopleRequest { people: asked, round: "r1".into() })
        .await
        .unwrap()
        .into_inner();
    let told = people.people.iter().map(|one| (one.registered, one.samples.len()));
    assert_eq!(told.collect::<Vec<_>>(), [(false, 0), (true, 1), (true, 1)]);
    assert_eq!(people.people[2].rounds, person.rounds);
    assert!(people.as_of.is_some() && people.people[0].as_of.is_none());
    // Checked beforehand: Bob is in an open tube.
    let check = recording
        .check(pb::CheckRequest { fact: Some(collected(9, "T9", &[BOB])), device_now_ms: 0 })
        .await
        .unwrap()
        .into_inner();
    assert!(
        check.findings.iter().any(|f| f.code() == pb::Discrepancy::PersonInTwoTubes),
        "{:?}",
        check.findings
    );
    // The pool is positive: a recall for each.
    let lab = |number, body| fact("lab", number, body);
    recording
        .record_batch(pb::RecordBatchRequest {
            facts: vec![lab(
                1,
                pb::fact::Body::ResultAmended(pb::ResultAmended {
                    tube: "T1".into(),
                    call: pb::Call::Positive.into(),
                    reason: "x".into(),
                }),
            )],
            device_now_ms: 0,
        })
        .await
        .unwrap();
    let mut token = String::new();
    let mut seen = 0;
    loop {
        let page = queries
            .list_recalls(pb::ListRecallsRequest {
                page: Some(pb::PageRequest { size: 1, token }),
                ..Default::default()
            })
            .await
            .unwrap()
            .into_inner();
        for recall in &page.recalls {
            assert_eq!((recall.kind(), recall.tube.as_str()), (pb::RecallKind::Recall, "T1"));
            assert_eq!(recall.person.clone().unwrap().fact.unwrap().source, "s1");
        }
        seen += page.recalls.len();
        token = page.next_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 2);
    let mut lost = fact(
        "s1",
        50,
        pb::fact::Body::TubeReceived(pb::TubeReceived {
            tube: "T77".into(),
            lab: "l1".into(),
            condition: 0,
        }),
    );
    lost.captured_at_ms -= 1;
    recording
        .record_batch(pb::RecordBatchRequest { facts: vec![lost], device_now_ms: 0 })
        .await
        .unwrap();
    let unaccounted =
        queries.list_unaccounted(pb::ListUnaccountedRequest::default()).await.unwrap().into_inner();
    assert_eq!(unaccounted.tubes[0].why(), pb::UnaccountedWhy::AwaitingRegistration);
    let odd = queries
        .list_discrepancies(pb::ListDiscrepanciesRequest {
            code: pb::Discrepancy::UnknownLab.into(),
            page: None,
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(odd.records[0].code, "T77");
    let capacity =
        progress.check_capacity(pb::CheckCapacityRequest::default()).await.unwrap().into_inner();
    assert_eq!((capacity.labs[0].lab.as_str(), capacity.labs[0].awaiting), ("l1", 1));
    let source = recording
        .get_source(pb::GetSourceRequest { source: "s1".into() })
        .await
        .unwrap()
        .into_inner();
    assert_eq!((source.epochs[0].watermark, source.epochs[0].gaps[0].last), (1, 49));
    drop(watch);
    house.close().await;
}
