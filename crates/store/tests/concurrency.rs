//! Verbs at the same time, through two replicas: whatever the order, nothing is lost, nothing is counted twice, and
//! nobody waits for ever. Every round is another chance for the wrong order.

// A case that nobody runs is a mistake.
#![deny(dead_code)]

#[expect(dead_code, reason = "the conformance suite needs more of it")]
#[path = "conformance/support.rs"]
mod support;

#[path = "concurrency/agentless.rs"]
mod agentless;
#[path = "concurrency/agentless_schedules.rs"]
mod agentless_schedules;
#[path = "concurrency/agentless_snapshots.rs"]
mod agentless_snapshots;
#[expect(dead_code, reason = "the conformance suite needs more of it")]
#[path = "conformance/agentless/support.rs"]
mod agentless_support;
#[path = "concurrency/arena.rs"]
mod arena;
#[path = "concurrency/device_policies.rs"]
mod device_policies;
#[path = "concurrency/devices.rs"]
mod devices;
#[path = "concurrency/dynamic_groups.rs"]
mod dynamic_groups;
#[path = "concurrency/enrolment.rs"]
mod enrolment;
#[path = "concurrency/groups.rs"]
mod groups;
#[path = "concurrency/identity.rs"]
mod identity;
#[path = "concurrency/locations.rs"]
mod locations;
#[path = "concurrency/machines.rs"]
mod machines;
#[path = "concurrency/malicious_files.rs"]
mod malicious_files;
#[path = "concurrency/policies.rs"]
mod policies;
#[path = "concurrency/runs.rs"]
mod runs;
#[path = "concurrency/tasks.rs"]
mod tasks;
#[path = "concurrency/vulnerabilities.rs"]
mod vulnerabilities;
#[path = "concurrency/whitelists.rs"]
mod whitelists;

/// Runs every case on both engines. A case that is missing here is dead code, and does not compile.
macro_rules! concurrency {
    ($($module:ident { $($case:ident)* })*) => {
        mod sqlite {$(
            mod $module {$(
                #[tokio::test]
                async fn $case() {
                    crate::$module::$case(&crate::arena::Arena::new(crate::support::sqlite()).await).await;
                }
            )*}
        )*}
        mod postgres {$(
            mod $module {$(
                #[tokio::test]
                async fn $case() {
                    crate::$module::$case(&crate::arena::Arena::new(crate::support::postgres().await).await).await;
                }
            )*}
        )*}
    };
}

concurrency! {
    agentless {
        a_subtask_goes_to_one_worker
        of_an_end_and_an_expiry_one_counts
        counts_stay_true_whoever_ends_and_cancels
        an_asset_is_in_one_task
        nobody_waits_for_ever_when_results_take_each_others_places
    }
    agentless_schedules {
        a_schedule_starts_once_whoever_starts_it
        webhooks_that_go_hold_no_scan_up
        there_are_never_more_webhooks_than_may_be
    }
    agentless_snapshots {
        a_snapshot_arrives_or_is_cancelled
        a_snapshot_arrives_or_is_lost
        a_snapshot_is_scanned_again_or_goes
    }
    device_policies {
        batches_in_opposite_orders_do_not_wait_for_each_other
        reports_beside_a_deletion_leave_nothing_behind
        the_latest_connection_has_the_last_word
    }
    devices {
        every_connection_has_an_epoch_of_its_own
        opposite_moves_leave_the_counts_true
        batches_of_contacts_do_not_wait_for_each_other
    }
    dynamic_groups {
        a_device_that_changes_beside_a_new_group_is_not_missed
        a_device_that_changes_beside_its_rule_is_judged_by_the_new_one
        reports_of_many_devices_leave_the_counts_true
        time_passes_beside_reports
    }
    enrolment {
        uses_of_a_token_are_never_overspent
        a_placeholder_is_claimed_once
        a_placeholder_that_is_renamed_at_this_moment_is_claimed_all_the_same
        a_key_with_two_tokens_is_one_device
    }
    groups {
        imports_beside_a_deletion_are_gone_or_refused
        connections_beside_a_deletion_leave_nothing_behind
        opposite_moves_form_no_cycle
    }
    identity {
        a_signed_request_is_accepted_once
        access_keys_do_not_outlive_their_account
        a_refresh_token_is_exchanged_once
        reuse_that_is_found_twice_ends_the_family
        sessions_do_not_outlive_their_account
        sign_ins_sweep_beside_each_other
        one_account_gets_a_name
        one_key_settles
        one_holder_gets_a_lease
    }
    locations {
        the_look_that_began_last_counts
    }
    machines {
        of_equal_machines_one_takes_the_device_over
        of_machines_that_meet_one_is_the_device
        a_device_leaves_once
    }
    malicious_files {
        what_is_found_meanwhile_is_taken_for_good
        what_is_handled_meanwhile_is_counted
        there_are_never_too_many_notes
    }
    policies {
        ranks_have_no_gaps_whoever_changes_them
        a_policy_gets_to_a_target_once
        no_assignment_outlives_its_policy
        no_assignment_outlives_its_target
    }
    runs {
        double_claims_hand_out_one_run_per_trigger
        batches_in_opposite_orders_do_not_wait_for_each_other
        nothing_is_handed_out_behind_a_cancellation
        ends_that_are_supposed_give_way_whoever_comes_first
        reports_beside_a_withdrawal_do_not_wait_for_each_other
    }
    tasks {
        a_template_outlives_the_task_whose_successor_shares_it
        no_run_outlives_the_deletion_of_its_task_unwithdrawn
        no_run_outlives_its_target_unwithdrawn
    }
    vulnerabilities {
        what_is_found_meanwhile_is_whitelisted
    }
    whitelists {
        what_a_selection_has_meanwhile_is_whitelisted
    }
}
