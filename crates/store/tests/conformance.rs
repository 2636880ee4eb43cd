//! One suite of behaviour, instantiated once per storage engine.

#[path = "conformance/support.rs"]
mod support;

#[path = "conformance/devices.rs"]
mod devices;
#[path = "conformance/groups.rs"]
mod groups;
#[path = "conformance/retention.rs"]
mod retention;
#[path = "conformance/task_runs.rs"]
mod task_runs;
#[path = "conformance/tasks.rs"]
mod tasks;

/// Runs every case of the suite on stores that `$open` opens.
macro_rules! conformance {
    ($engine:ident, $open:path: $($module:ident { $($case:ident)* })*) => {
        mod $engine {$(
            mod $module {$(
                #[tokio::test]
                async fn $case() {
                    crate::$module::$case(&$open()).await;
                }
            )*}
        )*}
    };
}

conformance! { sqlite, crate::support::sqlite:
    devices {
        import_is_listed_in_order_of_ids
        import_into_an_unknown_group_adds_nothing
        filters_are_joined_by_and
        get_many_keeps_the_order_asked_for
        move_and_rename_raise_the_version_only_when_they_change_something
        reports_replace_what_is_known_and_repeat_without_a_change
        connections_count_upwards
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
        withdrawn_runs_that_had_begun_stay
        devices_speak_only_for_their_own_runs
        lists_are_newest_first_and_can_show_only_the_last
        many_runs_are_handed_out_in_portions
        unknown_devices_are_not_managed
    }
    retention {
        runs_go_after_their_end_and_the_expiry_of_their_trigger
        open_runs_stay_while_their_device_does
        runs_go_in_steps
        deleted_tasks_go_after_their_runs_and_templates_with_the_last
    }
}
