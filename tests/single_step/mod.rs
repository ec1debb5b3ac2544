//! Runs pieces of a program one instruction at a time and shows the registers before each.
//!
//! A test starts itself again as a child (`Stepped::start`), and the child puts [`section`] around each
//! piece of work. Addresses don't move from one child to the next: the kernel's randomisation is off, and
//! children that differ in what they compute must not differ in the length of what they are told.
//! Nothing is emulated, so any instruction that the CPU has may be looked at.

use std::{
    env,
    process::{Child, Command, Stdio},
    ptr,
};

use nix::{
    libc::user_regs_struct,
    sys::{
        personality::{self, Persona},
        ptrace,
        signal::{Signal, raise},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

/// What a child is told to do.
const CASE: &str = "MACSECGW_STEPPED_CASE";

/// The most steps of one section: one that has more does not end.
const MOST_STEPS: usize = 20_000_000;

/// The child's half: lets itself be traced, and says what it was told to do.
pub(crate) fn be_stepped() -> String {
    ptrace::traceme().unwrap();
    env::var(CASE).unwrap()
}

/// The child's half: `work` is stepped through.
pub(crate) fn section<R>(work: impl FnOnce() -> R) -> R {
    raise(Signal::SIGSTOP).unwrap();
    let result = work();
    raise(Signal::SIGSTOP).unwrap();
    result
}

/// An instruction that is about to be executed.
pub(crate) struct Step {
    thread: Pid,
    own: [u64; 3],
    pub(crate) registers: user_regs_struct,
}

impl Step {
    /// Whether a register holds a number that is another one in every child, as entering a section leaves
    /// them behind: that of its process, that of its thread, and the one that guards its stack.
    #[allow(dead_code, reason = "one of the tests that step needs it")]
    pub(crate) fn is_own_number(&self, value: u64) -> bool {
        self.own.contains(&value)
    }

    /// The octets that the program counter points at: the instruction, and what follows it.
    #[allow(dead_code, reason = "one of the tests that step needs it")]
    pub(crate) fn code(&self) -> [u8; 8] {
        let at = ptr::without_provenance_mut(usize::try_from(self.registers.rip).unwrap());
        ptrace::read(self.thread, at).unwrap().to_le_bytes()
    }
}

/// A child that is traced.
pub(crate) struct Stepped {
    child: Child,
    /// The process; the thread that runs the test is another task of it.
    pid: Pid,
}

/// What became of a task that this thread traces or started.
fn wait() -> WaitStatus {
    let mine = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
    waitpid(Pid::from_raw(-1), Some(mine)).unwrap()
}

impl Stepped {
    /// Starts the ignored test `test` of this file, which is told `case`.
    pub(crate) fn start(test: &str, case: &str) -> Self {
        let before = personality::get().unwrap();
        personality::set(before | Persona::ADDR_NO_RANDOMIZE).unwrap();
        let child = Command::new(env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                test,
                "--nocapture",
                "--test-threads=1",
            ])
            .env_clear()
            .env(CASE, case)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        personality::set(before).unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        Self { child, pid }
    }

    /// Steps through the next section, and shows `each` every instruction of it before it is executed.
    /// Gives how many there were; `None` when the child ended well and there is no further section.
    pub(crate) fn section(&mut self, mut each: impl FnMut(&Step)) -> Option<usize> {
        let thread = loop {
            match wait() {
                WaitStatus::Stopped(thread, Signal::SIGSTOP) => break thread,
                WaitStatus::Exited(task, 0) if task == self.pid => return None,
                WaitStatus::Exited(task, _) if task != self.pid => {}
                other => panic!("between two sections: {other:?}"),
            }
        };
        let own = self.own_numbers(thread);
        let (mut steps, mut last) = (0, 0);
        while steps < MOST_STEPS {
            let registers = ptrace::getregs(thread).unwrap();
            // A string instruction under REP is stepped through in as many steps as the CPU likes.
            if registers.rip != last {
                last = registers.rip;
                steps += 1;
                each(&Step {
                    thread,
                    own,
                    registers,
                });
            }
            ptrace::step(thread, None).unwrap();
            match wait() {
                WaitStatus::Stopped(_, Signal::SIGTRAP) => {}
                WaitStatus::Stopped(_, Signal::SIGSTOP) => {
                    ptrace::cont(thread, None).unwrap();
                    return Some(steps);
                }
                other => panic!("after {steps} steps: {other:?}"),
            }
        }
        panic!("a section of more than {MOST_STEPS} instructions")
    }
}

impl Stepped {
    fn own_numbers(&self, thread: Pid) -> [u64; 3] {
        // The System V ABI for x86-64 has libc keep the stack's guard there.
        let guard = ptrace::getregs(thread).unwrap().fs_base + 0x28;
        let guard = ptr::without_provenance_mut(usize::try_from(guard).unwrap());
        [
            u64::try_from(self.pid.as_raw()).unwrap(),
            u64::try_from(thread.as_raw()).unwrap(),
            ptrace::read(thread, guard).unwrap().cast_unsigned(),
        ]
    }
}

impl Drop for Stepped {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}
