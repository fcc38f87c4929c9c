//! Masking over arbitrary text: it never panics, and masking twice changes nothing.

use proptest::prelude::*;
use squelch::domain::template::{mask_name, mask_text};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn any_name_is_masked_once_and_for_all(name in "\\PC{0,40}") {
        let once = mask_name(&name).into_owned();
        prop_assert_eq!(mask_name(&once).into_owned(), once.clone());
    }

    #[test]
    fn names_of_the_usual_signs_are_masked_once_and_for_all(name in "[a-h2-9*.:_-]{0,30}") {
        let once = mask_name(&name).into_owned();
        prop_assert_eq!(mask_name(&once).into_owned(), once.clone());
    }

    #[test]
    fn any_text_is_masked_once_and_for_all(text in "[\"'`/@=:;.,%*+\\-a-f0-9Tx ü\\\\\\PC]{0,40}") {
        let once = mask_text(&text).into_owned();
        prop_assert_eq!(mask_text(&once).into_owned(), once.clone());
    }

    #[test]
    fn pods_of_one_deployment_are_one_name(
        hash in "[4-9bcdf]{3}[4-9][bcdf][4-9bcdf]{3,5}",
        pods in prop::array::uniform2("[bcdfghjklmnpqrstvwxz2456789]{5}"),
    ) {
        let masked = pods.map(|pod| mask_name(&format!("web-{hash}-{pod}")).into_owned());
        prop_assert_eq!(&masked[0], &masked[1]);
    }
}
