//! Two nodes and one CAK.

use super::bed::{Bed, ms};
use crate::mka::{Event, RekeyAnswer, RekeyRefusal, RekeyWhy};

#[test]
fn two_nodes_are_secured_within_a_third_of_a_second_and_stay_so() {
    let mut bed = Bed::pair();
    let took = bed.until_secured(ms(2_000));
    assert!(took <= ms(300), "{took:?}");
    bed.flow();
    bed.run(ms(20_000));
    assert!(bed.all_secured());
    assert_eq!(bed.traffic.lost, 0);
    assert!(bed.traffic.delivered > 39_000);
    for node in &bed.nodes {
        assert_eq!(node.had(|event| matches!(event, Event::Secured(_))), 1);
        assert_eq!(node.had(|event| matches!(event, Event::Lost(_))), 0);
    }
    let first = |event: &Event| {
        matches!(
            event,
            Event::SakDistributed {
                why: RekeyWhy::First,
                ..
            }
        )
    };
    assert_eq!(bed.nodes[0].had(first), 1);
    assert_eq!((bed.cp(0), bed.cp(1)), ("RETIRE", "RETIRE"));
}

#[test]
fn a_rekey_loses_no_frame_and_a_client_can_not_ask_for_one() {
    let mut bed = Bed::pair();
    bed.until_secured(ms(1_000));
    bed.flow();
    bed.run(ms(10_000));
    let refused = bed.kay(1, |kay, now| kay.rekey(now));
    assert_eq!(refused, Err(RekeyRefusal::NotKeyServer(bed.nodes[0].sci)));
    for round in 1..=9 {
        let answer = bed.kay(0, |kay, now| kay.rekey(now));
        assert_eq!(answer, Ok(RekeyAnswer::Now));
        bed.run(ms(7_000));
        assert_eq!(bed.nodes[0].kay.status(bed.now).rekeys, round);
        assert_eq!(bed.nodes[1].kay.status(bed.now).rekeys, round);
    }
    assert_eq!(bed.traffic.lost, 0);
}
