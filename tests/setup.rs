//! `tollgate setup` with the real binary and the real pip, from packages made here and without
//! network. npm cannot pack from a local directory of packages as pip can: a script stands in.

use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const MODEL: &[u8] = b"made-up model";
const LIBRARY: &[u8] = b"made-up library";
const WHEEL: &str = "tollgate_made_up_model-1.0-py3-none-any.whl";
const TARBALL: &str = "made-up-library-2.0.0.tgz";

/// A registry of two packages, a lock file that pins them, and a runtime directory to fill.
struct Place {
    dir: TempDir,
    path: String,
}

impl Place {
    fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let packages = dir.path().join("packages");
        let bin = dir.path().join("bin");
        fs::create_dir(&packages).unwrap();
        fs::create_dir(&bin).unwrap();
        write_wheel(&packages.join(WHEEL));
        write_tarball(&packages.join(TARBALL));
        let npm = bin.join("npm");
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = pack ]; then cp '{}' .; fi\n",
            packages.join(TARBALL).display()
        );
        fs::write(&npm, script).unwrap();
        fs::set_permissions(&npm, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let place = Place { dir, path };
        place.lock(&place.lock_text());
        place
    }

    fn runtime(&self) -> PathBuf {
        self.dir.path().join("runtime")
    }

    fn package(&self, name: &str) -> PathBuf {
        self.dir.path().join("packages").join(name)
    }

    fn lock(&self, text: &str) {
        fs::write(self.dir.path().join("lock.toml"), text).unwrap();
    }

    fn lock_text(&self) -> String {
        let component = |kind: &str, id: &str, package: &str, version: &str, artifact: &str| {
            let content = fs::read(self.package(artifact)).unwrap();
            format!(
                "[[component]]\nid = \"{id}\"\nkind = \"{kind}\"\npackage = \"{package}\"\n\
                 version = \"{version}\"\nartifact = \"{artifact}\"\nsha256 = \"{}\"\nsize = {}\n\
                 purpose = \"tests\"\nlicence = \"CC0-1.0\"\nattribution = \"nobody\"\n",
                hash(&content),
                content.len()
            )
        };
        let file = |member: &str, path: &str, content: &[u8]| {
            format!(
                "[[component.file]]\nmember = \"{member}\"\npath = \"{path}\"\nsha256 = \"{}\"\n\
                 size = {}\n",
                hash(content),
                content.len()
            )
        };
        format!(
            "version = 1\nplatform = \"{}-{}\"\n{}{}{}{}",
            std::env::consts::ARCH,
            std::env::consts::OS,
            component("pip", "model", "tollgate-made-up-model", "1.0", WHEEL),
            file("made_up/model.bin", "model/model.bin", MODEL),
            component("npm", "library", "made-up-library", "2.0.0", TARBALL),
            file("package/library.so", "library/library.so", LIBRARY),
        )
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command
            .args(["setup", "--lock"])
            .arg(self.dir.path().join("lock.toml"))
            .env("TOLLGATE_RUNTIME", self.runtime())
            .env("PATH", &self.path)
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", self.dir.path().join("packages"));
        command
    }

    /// A set-up that must succeed; returns what it said.
    fn set_up(&self) -> String {
        let output = self.command().output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(
            fs::read(self.runtime().join("model/model.bin")).unwrap(),
            MODEL
        );
        assert_eq!(
            fs::read(self.runtime().join("library/library.so")).unwrap(),
            LIBRARY
        );
        assert!(
            !self.runtime().join("downloads").exists(),
            "a download was left behind"
        );
        said(&output)
    }

    /// A set-up that must fail; returns what it said.
    fn fail(&self, command: &mut Command) -> String {
        let output = command.output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("\nhelp: "),
            "it does not say what to do: {said}"
        );
        said
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn hash(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn write_wheel(path: &Path) {
    let mut wheel = zip::ZipWriter::new(fs::File::create(path).unwrap());
    let info = "tollgate_made_up_model-1.0.dist-info";
    let files: [(String, &[u8]); 4] = [
        ("made_up/model.bin".into(), MODEL),
        (
            format!("{info}/METADATA"),
            b"Metadata-Version: 2.1\nName: tollgate-made-up-model\nVersion: 1.0\n",
        ),
        (
            format!("{info}/WHEEL"),
            b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        (format!("{info}/RECORD"), b""),
    ];
    for (name, content) in files {
        wheel
            .start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        wheel.write_all(content).unwrap();
    }
    wheel.finish().unwrap();
}

fn write_tarball(path: &Path) {
    let file = fs::File::create(path).unwrap();
    let gzip = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    let mut tarball = tar::Builder::new(gzip);
    let mut header = tar::Header::new_gnu();
    header.set_size(LIBRARY.len() as u64);
    header.set_mode(0o644);
    tarball
        .append_data(&mut header, "package/library.so", LIBRARY)
        .unwrap();
    tarball.into_inner().unwrap().finish().unwrap();
}

#[test]
fn fills_the_directory_and_then_needs_no_client() {
    let place = Place::new();
    let first = place.set_up();
    assert!(
        first.contains("downloading tollgate-made-up-model 1.0"),
        "{first}"
    );
    assert!(first.contains("CC0-1.0, nobody"), "{first}");

    for arguments in [&[][..], &["--verify"]] {
        let output = place
            .command()
            .args(arguments)
            .env("PATH", "/nonexistent")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
        assert!(!said(&output).contains("downloading"), "{}", said(&output));
    }
}

#[test]
fn repairs_what_was_damaged_and_removed() {
    let place = Place::new();
    place.set_up();
    fs::write(place.runtime().join("model/model.bin"), b"made-up nodel").unwrap();
    fs::remove_file(place.runtime().join("library/library.so")).unwrap();
    let again = place.set_up();
    assert!(again.contains("model/model.bin is damaged"), "{again}");
}

#[test]
fn goes_on_after_an_interruption() {
    let place = Place::new();
    let downloads = place.runtime().join("downloads");
    fs::create_dir_all(&downloads).unwrap();
    fs::create_dir_all(place.runtime().join("library")).unwrap();
    // One package came whole, of the other only a part; a file was being written.
    fs::copy(place.package(WHEEL), downloads.join(WHEEL)).unwrap();
    fs::remove_file(place.package(WHEEL)).unwrap();
    fs::write(downloads.join(TARBALL), b"half").unwrap();
    fs::write(place.runtime().join("library/library.so.partial"), b"made").unwrap();
    let said = place.set_up();
    assert!(
        !said.contains("downloading tollgate-made-up-model"),
        "{said}"
    );
    assert!(said.contains("downloading made-up-library"), "{said}");
    assert!(!place.runtime().join("library/library.so.partial").exists());
}

#[test]
fn a_package_with_another_hash_is_refused_and_deleted() {
    let place = Place::new();
    let text = place.lock_text();
    let right = hash(&fs::read(place.package(WHEEL)).unwrap());
    let wrong = hash(b"something else");
    place.lock(&text.replace(&right, &wrong));
    let said = place.fail(&mut place.command());
    assert!(said.contains(&format!("expected {wrong}")), "{said}");
    assert!(said.contains(&format!("actual   {right}")), "{said}");
    assert!(!place.runtime().join("downloads").join(WHEEL).exists());
    assert!(!place.runtime().join("model/model.bin").exists());
}

#[test]
fn a_file_with_another_hash_is_refused_though_its_package_is_the_one_pinned() {
    let place = Place::new();
    place.lock(
        &place
            .lock_text()
            .replace(&hash(MODEL), &hash(b"something else")),
    );
    let said = place.fail(&mut place.command());
    assert!(
        said.contains("made_up/model.bin in tollgate_made_up_model"),
        "{said}"
    );
    let left: Vec<_> = fs::read_dir(place.runtime().join("model"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn each_cause_is_an_error_of_its_own() {
    let place = Place::new();
    let said = place.fail(place.command().env("PATH", "/nonexistent"));
    assert!(
        said.contains("pip is needed to fetch tollgate-made-up-model 1.0"),
        "{said}"
    );

    // Port 1 on loopback: nobody listens there.
    let said = place.fail(
        place
            .command()
            .env_remove("PIP_NO_INDEX")
            .env_remove("PIP_FIND_LINKS")
            .env("PIP_INDEX_URL", "http://ann:s3cret@127.0.0.1:1/simple")
            .env("PIP_RETRIES", "1"),
    );
    assert!(said.contains("pip could not reach its registry"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");

    let text = place.lock_text();
    place.lock(&text.replacen("size = ", "size = 1_000_000_000_000_000_000 #", 1));
    let said = place.fail(&mut place.command());
    assert!(said.contains("has not enough free space"), "{said}");

    place.lock(&text.replacen("platform = \"", "platform = \"another-", 1));
    let said = place.fail(&mut place.command());
    assert!(
        said.contains("it would lack model (tests), library (tests)"),
        "{said}"
    );

    place.lock(&text);
    let file = place.dir.path().join("file");
    fs::write(&file, "").unwrap();
    let said = place.fail(
        place
            .command()
            .env("TOLLGATE_RUNTIME", file.join("runtime")),
    );
    assert!(said.contains(&file.display().to_string()), "{said}");
}

#[test]
fn two_at_once_do_not_undo_each_others_work() {
    let place = Place::new();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| place.command().output()))
            .collect();
        for run in runs {
            let output = run.join().unwrap().unwrap();
            assert!(output.status.success(), "{}", said(&output));
        }
    });
    place.set_up();
}
