//! The machine: platform, processor, accelerator, disk.

use super::{Check, native};
use crate::runtime::Runtime;
use crate::setup::{free_bytes, lock::Lock};
use std::path::Path;

const DISK_WARN_BYTES: u64 = 2 << 30;
const DISK_FAIL_BYTES: u64 = 100 << 20;
const MB: u64 = 1_000_000;

pub(super) fn look(runtime: &Runtime) -> Vec<Check> {
    vec![
        platform(),
        processor(),
        accelerator(),
        disk("disk of the runtime", runtime.dir()),
    ]
}

fn platform() -> Check {
    let here = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    match Lock::read(None).and_then(|lock| lock.check_platform()) {
        Ok(()) => Check::ok("platform", here),
        Err(error) => Check::fail("platform", error.to_string(), error.help()),
    }
}

fn processor() -> Check {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let features = features();
    let says = format!("{cores} cores, {}", features.join(" "));
    if cfg!(target_arch = "x86_64") && !features.contains(&"avx2") {
        let fix = "use a processor with AVX2 for models on the CPU";
        return Check::warn(
            "processor",
            format!("{says}; without AVX2 models are slow"),
            fix,
        );
    }
    Check::ok("processor", says)
}

/// What the models' kernels can use here.
fn features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        let known = [
            ("avx2", has!("avx2")),
            ("fma", has!("fma")),
            ("f16c", has!("f16c")),
            ("avx512f", has!("avx512f")),
            ("avx512vnni", has!("avx512vnni")),
        ];
        known
            .iter()
            .filter(|(_, there)| *there)
            .map(|(name, _)| *name)
            .collect()
    }
    #[cfg(not(target_arch = "x86_64"))]
    Vec::new()
}

/// An accelerator is welcome and never needed.
fn accelerator() -> Check {
    match native::probe("libcuda.so.1", "cuInit") {
        Ok(()) => Check::ok("accelerator", "an NVIDIA driver is present"),
        Err(_) => Check::ok("accelerator", "no NVIDIA driver: models run on the CPU"),
    }
}

/// The space on the disk of a directory, which need not exist yet.
pub(super) fn disk(name: &str, dir: &Path) -> Check {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let existing = dir
        .ancestors()
        .find(|dir| dir.is_dir())
        .unwrap_or(Path::new("/"));
    let free = match free_bytes(existing) {
        Ok(free) => free,
        Err(error) => return Check::warn(name, error.to_string(), "see that it can be read"),
    };
    let says = format!("{} MB free for {}", free / MB, dir.display());
    match free {
        ..DISK_FAIL_BYTES => Check::fail(name, says, "free some space"),
        DISK_FAIL_BYTES..DISK_WARN_BYTES => Check::warn(name, says, "free some space soon"),
        _ => Check::ok(name, says),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_to_come_is_on_the_disk_of_its_parent() {
        let dir = tempfile::tempdir().unwrap();
        let check = disk("disk", &dir.path().join("a/b"));
        assert!(check.says.contains("a/b"), "{check:?}");
    }
}
