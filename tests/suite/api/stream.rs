//! The stream of facts: answers in order, taken up again, watermarks.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_answered_in_order_and_can_be_taken_up_again() {
    let house = House::open(Default::default()).await;
    house.round().await;
    let (mut talk, welcome) = Talk::hello(&house, pb::AcknowledgementKind::EachFact).await;
    assert_eq!(welcome.arrived.unwrap().watermark, 0);
    assert_eq!(welcome.open_rounds[0].code, "r1");
    assert_eq!(welcome.folder_kind, pb::FolderKind::Live as i32);
    let mut short = collected(1, "T1", &[ALICE]);
    short.id = Some(pb::FactId { number: 1, ..Default::default() });
    talk.say(11, vec![short.clone(), collected(2, "", &[BOB]), collected(3, "T3", &[BOB])]).await;
    talk.say(12, vec![]).await;
    talk.say(13, vec![short.clone(), collected(3, "T4", &[BOB])]).await;
    for n in 4..60 {
        talk.say(10 + n, vec![collected(n, &format!("T{n}"), &[BOB])]).await;
    }
    let ack = talk.hear().await;
    assert_eq!((ack.message_number, ack.watermark), (11, 1));
    assert_eq!(kinds(&ack.outcomes), ["Recorded", "REASON_NO_BARCODE", "Recorded"]);
    assert!(ack.outcomes[0].findings.iter().any(|f| f.code() == pb::Discrepancy::UnknownDesk));
    let ack = talk.hear().await;
    assert_eq!((ack.message_number, ack.refusal.unwrap().reason()), (12, pb::Reason::EmptyBatch));
    let ack = talk.hear().await;
    assert_eq!(kinds(&ack.outcomes), ["Duplicate", "REASON_FACT_ID_REUSED"]);
    for n in 4..60 {
        let ack = talk.hear().await;
        assert_eq!(ack.message_number, 10 + n);
        assert_eq!(kinds(&ack.outcomes), ["Recorded"]);
    }
    drop(talk);
    let (mut talk, welcome) = Talk::hello(&house, pb::AcknowledgementKind::WatermarkOnly).await;
    let arrived = welcome.arrived.unwrap();
    assert_eq!((arrived.watermark, arrived.highest, arrived.gaps.len()), (1, 59, 1));
    talk.say(1, vec![collected(2, "T2", &[ALICE])]).await;
    let ack = talk.hear().await;
    assert_eq!((ack.watermark, ack.outcomes.len()), (59, 0));
    assert!(ack.times.unwrap().disk_us > 0);
    // Over the limit of a stream's message: that message only.
    let many: Vec<_> = (100..1_100)
        .map(|n| collected(n, &"9".repeat(60), &[ALICE, BOB, ALICE, BOB, ALICE, BOB, ALICE, BOB]))
        .collect();
    talk.say(2, many).await;
    assert_eq!(talk.hear().await.refusal.unwrap().reason(), pb::Reason::TooLarge);
    talk.say(3, vec![collected(61, "T61", &[ALICE]), collected(62, "", &[])]).await;
    assert_eq!(kinds(&talk.hear().await.outcomes), ["REASON_NO_BARCODE"]);
    // Stop while a stream is open: told why, and the server ends.
    let stopping = tokio::spawn(house.close());
    let end = loop {
        match talk.from.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("no reason"),
            Err(status) => break status,
        }
    };
    assert_eq!(reason(&end), "SHUTTING_DOWN");
    drop(talk);
    stopping.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_watermarks_only_one_answer_may_stand_for_several_messages_but_not_for_a_refused_one()
{
    let house = House::open(Default::default()).await;
    house.round().await;
    let (mut talk, _) = Talk::hello(&house, pb::AcknowledgementKind::WatermarkOnly).await;
    let (mut said, mut number) = (0, 0);
    let (mut answered, mut refused, mut acks) = (0, Vec::new(), 0);
    // Waves, so that some answers come together and some do not.
    for wave in 0..30 {
        for at in 0..12 {
            said += 1;
            match at {
                // Nothing in it; a tube without a barcode.
                5 => talk.say(said, vec![]).await,
                8 => talk.say(said, vec![collected(1_000_000 + said, "", &[])]).await,
                _ => {
                    number += 1;
                    let tube = format!("W{wave}-{at}");
                    talk.say(said, vec![collected(number, &tube, &[ALICE])]).await;
                }
            }
        }
        while answered < said {
            let ack = talk.hear().await;
            acks += 1;
            assert!(ack.messages >= 1);
            answered += u64::from(ack.messages);
            assert_eq!(ack.message_number, answered, "in order, none left out, none twice");
            let refuses = ack.refusal.is_some() || !ack.outcomes.is_empty();
            assert!(!refuses || ack.messages == 1, "a refused message is answered alone");
            assert!(!refuses || ack.outcomes.len() + usize::from(ack.refusal.is_some()) == 1);
            if refuses {
                refused.push((answered - 1) % 12);
            }
        }
        assert_eq!(answered, said);
    }
    assert_eq!(refused, [5, 8].repeat(30));
    assert!(acks <= said, "{acks} answers to {said} messages");
    println!("{acks} answers to {said} messages");
    talk.say(said + 1, vec![collected(number + 1, "last", &[BOB])]).await;
    assert_eq!(talk.hear().await.watermark, number + 1);
    drop(talk);
    house.close().await;
}
