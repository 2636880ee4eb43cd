//! Seccomp: which system calls the process may make.
//!
//! Three filters: what only an attacker would try ends the process; what is not on the list of needed calls fails with
//! `EPERM`; `clone3`, whose arguments a filter cannot see, is said not to exist, so that the C library takes `clone`.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};

/// Calls, and under which conditions on their arguments; without a condition, always.
type Calls = BTreeMap<i64, Vec<SeccompRule>>;

/// What only an attacker would try.
const ATTACKS: &[c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_fsopen,
    libc::SYS_move_mount,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_personality,
    libc::SYS_mknodat,
    libc::SYS_symlinkat,
    libc::SYS_linkat,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
];

/// What reading files, memory, threads and time need.
const NEEDED: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_lseek,
    libc::SYS_openat,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_fstatfs,
    libc::SYS_statfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getdents64,
    libc::SYS_getcwd,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fadvise64,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_unlinkat,
    libc::SYS_fcntl,
    libc::SYS_flock,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_copy_file_range,
    libc::SYS_ppoll,
    libc::SYS_mmap,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_get_robust_list,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_clone3,
    libc::SYS_set_tid_address,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_getrusage,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Further rules can only take more away.
    libc::SYS_seccomp,
    libc::SYS_capset,
    libc::SYS_capget,
];

/// The same in the form that older programs use, which not every processor has.
#[cfg(target_arch = "x86_64")]
mod old_forms {
    use libc::c_long;

    pub const ATTACKS: &[c_long] = &[
        libc::SYS_fork,
        libc::SYS_vfork,
        libc::SYS_mknod,
        libc::SYS_symlink,
        libc::SYS_link,
        libc::SYS_chmod,
        libc::SYS_chown,
    ];
    pub const OPENING: &[c_long] = &[libc::SYS_open, libc::SYS_creat];
    pub const NEEDED: &[c_long] = &[
        libc::SYS_open,
        libc::SYS_stat,
        libc::SYS_lstat,
        libc::SYS_access,
        libc::SYS_readlink,
        libc::SYS_unlink,
        libc::SYS_poll,
        libc::SYS_dup2,
        libc::SYS_time,
    ];
}
#[cfg(not(target_arch = "x86_64"))]
mod old_forms {
    use libc::c_long;

    pub const ATTACKS: &[c_long] = &[];
    pub const OPENING: &[c_long] = &[];
    pub const NEEDED: &[c_long] = &[];
}

/// Binds the calling thread and all that come from it.
pub fn restrict() -> Result<(), Error> {
    let attacks = always(ATTACKS.iter().chain(old_forms::ATTACKS));
    apply(attacks, SeccompAction::Allow, SeccompAction::KillProcess)?;

    let unseen = always(&[libc::SYS_clone3]);
    apply(unseen, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32))?;

    let mut needed = always(NEEDED.iter().chain(old_forms::NEEDED));
    // Threads, and no processes.
    needed.insert(libc::SYS_clone, vec![argument(0, has_all(libc::CLONE_THREAD | libc::CLONE_VM))?]);
    // A signal to itself: how an abort ends.
    let own_process = u64::from(std::process::id());
    needed.insert(libc::SYS_tgkill, vec![argument(0, (SeccompCmpOp::Eq, own_process))?]);
    // Whether there is a terminal; how long a block device is.
    let questions = [libc::TCGETS, BLKGETSIZE64, BLKSSZGET];
    let questions = questions.map(|question| argument(1, (SeccompCmpOp::Eq, question)));
    needed.insert(libc::SYS_ioctl, questions.into_iter().collect::<Result<_, _>>()?);
    // Names of threads and of memory; that no rights can be gained.
    let prctl = [libc::PR_SET_NAME, libc::PR_SET_NO_NEW_PRIVS, libc::PR_GET_DUMPABLE, libc::PR_SET_VMA];
    let prctl = prctl.map(|option| argument(0, (SeccompCmpOp::Eq, option as u64)));
    needed.insert(libc::SYS_prctl, prctl.into_iter().collect::<Result<_, _>>()?);
    // Asking for a limit, of itself alone; the stack's is asked for when a thread begins.
    let own =
        SeccompRule::new(vec![condition(0, (SeccompCmpOp::Eq, 0))?, condition(2, (SeccompCmpOp::Eq, 0))?])?;
    needed.insert(libc::SYS_prlimit64, vec![own]);
    apply(needed, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)
}

/// Takes away the opening of files; a temporary file without a name can still be made.
pub fn forbid_opening() -> Result<(), Error> {
    let mut opening = always(old_forms::OPENING);
    opening.insert(libc::SYS_openat2, Vec::new());
    // The bit that tells O_TMPFILE from O_DIRECTORY.
    let temporary = (libc::O_TMPFILE & !libc::O_DIRECTORY) as u64;
    opening.insert(libc::SYS_openat, vec![argument(2, (SeccompCmpOp::MaskedEq(temporary), 0))?]);
    apply(opening, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32))
}

/// `<linux/fs.h>`: the length of a block device in bytes.
const BLKGETSIZE64: u64 = 0x8008_1272;

/// `<linux/fs.h>`: the length of a sector of a block device.
const BLKSSZGET: u64 = 0x1268;

fn always<'a>(calls: impl IntoIterator<Item = &'a c_long>) -> Calls {
    calls.into_iter().map(|&call| (call, Vec::new())).collect()
}

/// That all these bits are set.
fn has_all(bits: libc::c_int) -> (SeccompCmpOp, u64) {
    (SeccompCmpOp::MaskedEq(bits as u64), bits as u64)
}

fn condition(index: u8, (operator, value): (SeccompCmpOp, u64)) -> Result<SeccompCondition, Error> {
    Ok(SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value)?)
}

fn argument(index: u8, test: (SeccompCmpOp, u64)) -> Result<SeccompRule, Error> {
    Ok(SeccompRule::new(vec![condition(index, test)?])?)
}

fn apply(calls: Calls, otherwise: SeccompAction, on_match: SeccompAction) -> Result<(), Error> {
    let architecture = std::env::consts::ARCH.try_into()?;
    let program: BpfProgram = SeccompFilter::new(calls, otherwise, on_match, architecture)?.try_into()?;
    apply_filter(&program)
}
