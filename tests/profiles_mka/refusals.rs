//! What the config refuses, by each cloud's rule.

use crate::{bed::text, clouds::CLOUDS, desk::Desk};

/// The whole message, which names the profile and the cloud's rule; nothing where it is taken.
fn refusal(text: &str) -> Option<String> {
    let desk = Desk::new();
    let problems = desk.load(text).err()?;
    Some(desk.render(&problems))
}

#[test]
fn a_cak_of_128_bits_is_refused_where_the_cloud_has_none() {
    for cloud in &CLOUDS {
        let mut text = text(cloud.profile, "cipher_suite = \"gcm-aes-xpn-256\"", "");
        text = text.replace("a.cak", "g.cak");
        // Alibaba's names are as long as its keys.
        text = text.replace(&format!("{:064}", 1), &format!("{:032}", 1));
        if cloud.short_cak.is_some() {
            text = text.replace(&format!("{:032}", 1), &format!("{:064}", 1));
        }
        let told = refusal(&text);
        assert_eq!(told.is_some(), cloud.short_cak.is_some(), "{told:?}");
        let (Some(told), Some(rule)) = (told, cloud.short_cak) else {
            continue;
        };
        for part in [cloud.profile.name(), "the CAK has 32 digits", rule] {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}

#[test]
fn a_priority_against_the_clouds_rule_is_refused() {
    for cloud in &CLOUDS {
        let (refused, rule) = cloud.refused_priorities;
        for priority in [0, 1, 14, 15, 16, 254, 255] {
            let line = format!("key_server_priority = {priority}");
            let told = refusal(&text(cloud.profile, "", &line));
            let expected = refused.contains(&priority)
                || cloud.own_priority == 15 && priority != cloud.own_priority;
            assert_eq!(told.is_some(), expected, "{told:?}");
            let Some(told) = told else { continue };
            for part in [cloud.profile.name(), rule] {
                assert!(told.contains(part), "{part} in {told}");
            }
        }
    }
}

#[test]
fn clear_frames_are_refused_where_the_cloud_never_carries_them() {
    for cloud in &CLOUDS {
        let told = refusal(&text(cloud.profile, "encryption = \"should_encrypt\"", ""));
        assert_eq!(told.is_none(), cloud.carries_clear, "{told:?}");
        assert!(told.is_none_or(|told| told.contains("it never carries clear frames")));
    }
}
