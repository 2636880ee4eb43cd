//! One suite of behaviour, run on every storage engine.

// A case that nobody runs is a mistake.
#![deny(dead_code)]

#[path = "conformance/support.rs"]
mod support;

#[path = "conformance/access_keys.rs"]
mod access_keys;
#[path = "conformance/accounts.rs"]
mod accounts;
#[path = "conformance/agent_releases.rs"]
mod agent_releases;
#[path = "conformance/agentless/device_assets.rs"]
mod agentless_device_assets;
#[path = "conformance/agentless/findings.rs"]
mod agentless_findings;
#[path = "conformance/agentless/lists.rs"]
mod agentless_lists;
#[path = "conformance/agentless/locations.rs"]
mod agentless_locations;
#[path = "conformance/agentless/malicious_files.rs"]
mod agentless_malicious_files;
#[path = "conformance/agentless/queue.rs"]
mod agentless_queue;
#[path = "conformance/agentless/results.rs"]
mod agentless_results;
#[path = "conformance/agentless/risks.rs"]
mod agentless_risks;
#[path = "conformance/agentless/schedules.rs"]
mod agentless_schedules;
#[path = "conformance/agentless/selection.rs"]
mod agentless_selection;
#[path = "conformance/agentless/selections.rs"]
mod agentless_selections;
#[path = "conformance/agentless/snapshots.rs"]
mod agentless_snapshots;
#[path = "conformance/agentless/support.rs"]
mod agentless_support;
#[path = "conformance/agentless/tasks.rs"]
mod agentless_tasks;
#[path = "conformance/agentless/vulnerabilities.rs"]
mod agentless_vulnerabilities;
#[path = "conformance/agentless/webhooks.rs"]
mod agentless_webhooks;
#[path = "conformance/agentless/whitelists.rs"]
mod agentless_whitelists;
#[path = "conformance/device_policies.rs"]
mod device_policies;
#[path = "conformance/device_runs.rs"]
mod device_runs;
#[path = "conformance/devices.rs"]
mod devices;
#[path = "conformance/dynamic_groups.rs"]
mod dynamic_groups;
#[path = "conformance/enrolment.rs"]
mod enrolment;
#[path = "conformance/groups.rs"]
mod groups;
#[path = "conformance/keys.rs"]
mod keys;
#[path = "conformance/leases.rs"]
mod leases;
#[path = "conformance/machines.rs"]
mod machines;
#[path = "conformance/policies.rs"]
mod policies;
#[path = "conformance/policy_assignments.rs"]
mod policy_assignments;
#[path = "conformance/policy_stacks.rs"]
mod policy_stacks;
#[path = "conformance/refresh_tokens.rs"]
mod refresh_tokens;
#[path = "conformance/responses.rs"]
mod responses;
#[path = "conformance/retention.rs"]
mod retention;
#[path = "conformance/signals.rs"]
mod signals;
#[path = "conformance/task_runs.rs"]
mod task_runs;
#[path = "conformance/tasks.rs"]
mod tasks;

/// Runs every case of the suite on every engine. A case that is missing here is dead code, and does not compile.
macro_rules! conformance {
    ($($module:ident { $($case:ident)* })*) => {
        mod sqlite {$(
            mod $module {$(
                #[tokio::test]
                async fn $case() {
                    crate::$module::$case(&crate::support::sqlite()).await;
                }
            )*}
        )*}
        mod in_memory {$(
            mod $module {$(
                #[tokio::test]
                async fn $case() {
                    crate::$module::$case(&crate::support::in_memory()).await;
                }
            )*}
        )*}
        mod postgres {$(
            mod $module {$(
                #[tokio::test]
                async fn $case() {
                    crate::$module::$case(&crate::support::postgres().await).await;
                }
            )*}
        )*}
    };
}

conformance! {
    access_keys {
        an_access_key_is_found_with_its_account
        access_keys_are_listed_switched_and_removed
        a_signed_request_is_accepted_once_and_seldom_written_down
        old_nonces_and_temporary_keys_go_in_steps
    }
    agent_releases {
        a_program_is_kept_in_parts_and_goes_with_its_version
        a_platform_has_one_wanted_version
    }
    agentless_device_assets {
        the_location_of_devices_is_always_there
        a_device_that_can_take_snapshots_is_an_asset
    }
    agentless_findings {
        a_sensitive_file_that_is_found_again_is_the_same
        sensitive_files_are_filtered_and_paged
        a_check_remembers_that_it_failed
        checks_are_summed_up_and_filtered
    }
    agentless_lists {
        root_tasks_are_listed_newest_first
        subtasks_are_listed_by_what_is_asked_for
        a_task_may_have_very_many_subtasks
        pages_continue_behind_a_row
        pages_of_subtasks_continue_behind_a_position
    }
    agentless_malicious_files {
        a_file_that_is_found_again_is_the_same
        files_go_with_the_result
        what_is_done_about_files_is_kept_and_counted
        what_is_like_a_file_is_handled_together
        equal_files_that_come_later_are_good
        rules_take_files_for_good
        rules_are_changed_all_or_none
        files_are_filtered_and_paged
        notes_are_few_and_in_order
        odd_texts_of_files_are_kept
    }
    agentless_locations {
        a_location_has_a_name_of_its_own
        a_look_tells_what_came_and_what_went
        assets_are_listed_by_what_they_are
        locations_are_looked_at_in_turn
        what_is_gone_for_long_is_forgotten_without_a_result
    }
    agentless_queue {
        a_large_task_lets_later_ones_pass
        a_worker_is_told_what_it_needs
        progress_is_kept_and_renews_the_lease
        a_subtask_whose_worker_is_lost_is_queued_again_and_fails_in_the_end
        a_subtask_that_takes_too_long_is_over
        a_limit_that_somebody_set_counts
        what_a_worker_gives_back_was_no_attempt
        leases_expire_in_steps_and_in_the_name_of_a_lease
    }
    agentless_results {
        the_newest_result_of_an_asset_is_kept
        results_and_tasks_go_when_they_are_old
        who_has_a_subtask_writes_its_report
        reports_are_made_in_the_background
    }
    agentless_risks {
        assets_are_listed_by_what_was_found
    }
    agentless_selections {
        assets_are_found_by_their_ids_and_in_pages
        a_selection_is_that_of_its_business_type
        a_selection_has_what_was_taken_into_it
        a_selection_of_all_has_what_is_there
        old_selections_go_in_steps
    }
    agentless_schedules {
        schedules_are_kept_listed_and_removed
        a_change_of_a_schedule_that_was_outrun_changes_nothing
        a_schedule_that_is_due_starts_once
        a_schedule_leaves_out_what_is_being_scanned
        schedules_start_in_the_name_of_a_lease
        a_scan_of_what_is_idle_leaves_the_rest_out
    }
    agentless_selection {
        what_is_there_can_be_picked
        what_has_a_result_of_its_content_has_not_changed
    }
    agentless_snapshots {
        a_scan_of_a_device_waits_for_its_snapshot
        devices_that_are_idle_are_scanned
        a_snapshot_is_kept_as_long_as_was_asked_for
        a_scan_does_not_wait_for_ever
        what_waits_is_cancelled_with_its_run
        a_scan_that_is_cancelled_while_it_runs_keeps_no_snapshot
        a_scan_that_was_lost_keeps_its_snapshot_as_others_do
        what_is_tried_again_uses_the_snapshot_that_is_kept
        a_device_task_goes_with_its_last_snapshot
    }
    agentless_tasks {
        a_task_has_a_subtask_for_each_asset
        the_same_token_of_an_account_is_the_same_task
        busy_assets_are_refused_as_a_whole
        a_task_is_what_its_subtasks_make_of_it
        what_has_no_result_is_tried_again
        what_is_queued_is_cancelled_at_once_and_what_is_leased_by_its_worker
        a_deleted_task_takes_everything_along
    }
    agentless_vulnerabilities {
        a_finding_keeps_its_number_and_when_it_came
        vulnerabilities_are_listed_the_worst_first
        of_each_asset_the_worst_is_shown
        groups_are_those_of_the_rows_that_are_asked_for
        groups_count_each_vulnerability
        what_is_whitelisted_is_listed_apart_and_does_not_count
        the_whitelist_is_listed_and_changed
        vulnerabilities_go_with_their_result
        vulnerabilities_of_a_task_are_those_that_no_later_one_found
        a_scan_may_find_very_much
    }
    agentless_webhooks {
        webhooks_are_few_and_go_with_their_deliveries
        who_wants_to_is_told_how_scans_end
        a_delivery_is_tried_until_it_is_over
        deliveries_are_settled_and_forgotten_in_the_name_of_a_lease
    }
    agentless_whitelists {
        a_rule_is_about_the_assets_of_a_selection
        an_entry_is_about_the_assets_of_a_selection
        a_selection_has_the_assets_of_its_platform
        a_selection_stays_while_a_whitelist_is_about_it
    }
    accounts {
        account_names_are_unique
        an_account_may_use_some_actions_or_all
        a_new_password_and_a_removal_end_the_sessions_of_the_account_alone
    }
    device_runs {
        every_target_has_a_row_and_silent_ones_wait
        devices_that_are_no_longer_targets_keep_their_row
        the_newest_run_is_shown_and_all_are_counted
        a_trigger_that_expires_unheard_is_a_delivery_that_timed_out
        a_device_that_joins_a_group_gets_a_row
        what_was_handed_out_stays_with_a_device_that_leaves
        what_a_task_cancels_is_not_handed_out
        cancelling_on_some_devices_leaves_the_others
        runs_of_a_deleted_task_can_be_cancelled
        silence_ends_runs_until_the_device_knows_better
        a_cancelled_run_of_a_silent_device_ends_as_such
        time_outs_take_steps_and_need_the_lease
        progress_is_kept_while_a_run_is_open
        one_run_can_be_read
        unknown_tasks_and_runs_are_none
    }
    devices {
        import_is_listed_in_order_of_ids
        import_into_an_unknown_group_adds_nothing
        filters_are_joined_by_and
        get_many_keeps_the_order_asked_for
        move_and_rename_raise_the_version_only_when_they_change_something
        reports_replace_what_is_known_and_repeat_without_a_change
        connections_count_upwards
        pages_say_how_many_devices_fulfil_their_conditions
    }
    dynamic_groups {
        a_new_group_has_the_devices_that_its_rule_picks
        a_nested_group_filters_what_its_parent_has
        devices_change_places_when_they_change
        groups_take_their_place_along
        devices_and_static_groups_do_not_go_into_a_dynamic_group
        a_deleted_group_leaves_its_devices
        a_static_group_takes_its_dynamic_groups_along
        time_moves_devices_in_the_name_of_a_lease
        many_devices_become_silent_at_once
        a_preview_makes_nothing
        tasks_and_policies_reach_the_devices
        facts_are_derived_anew
        odd_texts_are_kept_and_compared
    }
    enrolment {
        a_new_host_becomes_a_device_in_the_group_of_the_token
        a_host_claims_the_first_placeholder_of_its_name_and_only_once
        the_same_key_and_token_are_the_same_device_at_any_time
        the_same_key_with_another_token_is_the_same_device_and_spends_a_use
        tokens_are_refused_for_what_is_wrong_with_them
        a_token_needs_a_group_and_outlives_it
        the_key_of_a_deleted_device_counts_no_more
    }
    groups {
        all_and_lost_and_found_exist_from_the_start
        created_groups_hang_below_their_parent
        groups_cannot_form_a_cycle
        members_recurse_and_are_counted
        members_of_many_groups_are_in_one_order
        delete_takes_the_subtree_with_its_devices
    }
    tasks {
        tasks_with_the_same_digest_share_a_template
        targets_must_exist
        changes_raise_the_version
        deleted_tasks_are_gone_but_their_runs_stay
        lists_continue_after_a_key
    }
    task_runs {
        each_trigger_runs_once_per_device
        group_targets_are_live_and_reach_subgroups
        expired_triggers_start_nothing
        the_first_end_counts
        runs_that_left_the_targets_are_withdrawn
        runs_of_replaced_triggers_are_withdrawn_unless_they_began
        withdrawn_runs_that_had_begun_stay
        a_withdrawal_counts_only_over_the_latest_connection
        devices_speak_only_for_their_own_runs
        lists_are_newest_first_and_can_show_only_the_last
        many_runs_are_handed_out_in_portions
        open_runs_end_with_their_device
        unknown_devices_are_not_managed
        a_superseded_connection_gets_nothing
        batches_answer_each_claim_in_its_place
        batches_of_reports_are_kept_in_their_order
        a_run_that_has_not_begun_can_be_suppressed
    }
    retention {
        runs_go_after_their_end_and_the_expiry_of_their_trigger
        open_runs_stay_while_their_device_does
        runs_go_in_steps
        deleted_tasks_go_after_their_runs_and_templates_with_the_last
    }
    machines {
        a_machine_that_is_installed_anew_takes_its_device_over
        a_machine_without_firmware_of_its_own_is_known_by_name_only
        a_device_at_work_is_not_taken_over_but_asked_about
        a_newcomer_that_is_the_device_becomes_it
        other_hardware_has_to_wait_until_somebody_decides
        changed_hardware_is_the_device_when_somebody_says_so
        two_lives_that_take_turns_are_two_machines
        a_device_that_leaves_is_a_placeholder_again
        a_state_counts_over_the_latest_connection
    }
    keys {
        the_first_key_of_a_name_stays
    }
    leases {
        one_holder_has_a_lease_and_renews_it
        a_lease_that_ran_out_goes_to_the_next_with_a_higher_fence
        a_lease_that_is_given_up_waits_for_nobody
        retention_is_refused_in_the_name_of_a_lost_lease
    }
    policies {
        policies_are_kept_byte_for_byte_and_listed_in_order_of_ids
        those_that_are_there_already_stay_as_they_are
        those_that_exist_are_read_together
        a_deleted_policy_leaves_every_stack
    }
    policy_assignments {
        a_new_assignment_comes_last
        policy_and_target_must_exist
        a_target_has_a_policy_once
        ranks_close_up_behind_what_goes
        others_shift_for_an_assignment_that_moves
        filters_are_joined_by_and
        stacks_go_with_their_group_and_its_devices
    }
    policy_stacks {
        stacks_go_from_the_root_to_the_device_and_by_rank
        a_policy_that_comes_by_several_ways_is_there_as_often
        stacks_follow_groups_that_move
        many_devices_share_their_targets
        what_would_be_is_what_comes
        dynamic_groups_stand_between_the_static_ones_and_the_device
    }
    device_policies {
        a_report_is_kept_until_another_differs
        of_a_batch_the_last_of_each_device_counts
        a_report_counts_only_over_the_latest_connection
        reports_go_with_their_device
    }
    refresh_tokens {
        a_refresh_token_is_good_for_one_exchange
        expired_refresh_tokens_are_refused_and_swept_a_hundred_at_a_time
    }
    responses {
        an_answer_is_given_once_to_the_identical_request
        a_call_that_runs_has_no_answer_yet
        what_has_expired_is_unknown_and_swept_a_hundred_at_a_time
        of_several_processes_one_gets_the_answer
    }
    signals {
        what_is_announced_is_heard_where_others_can_listen
    }
}
