//! What a person sees who starts the provider by hand.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use super::ServeInfo;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Wish {
    /// Nothing said: serve, if it was Terraform who started us.
    Serve,
    Debug,
    Help,
    Version,
    Unknown(String),
}

pub fn read(arguments: impl Iterator<Item = OsString>) -> Wish {
    let mut wish = Wish::Serve;
    for argument in arguments {
        wish = match argument.to_string_lossy().as_ref() {
            "--debug" | "-debug" => Wish::Debug,
            "--help" | "-help" | "-h" | "help" => return Wish::Help,
            "--version" | "-version" | "-V" | "version" => return Wish::Version,
            other => return Wish::Unknown(other.to_owned()),
        };
    }
    wish
}

/// Answers everything that needs no server.
pub fn answer(info: &ServeInfo, wish: &Wish) -> ExitCode {
    let binary = info.binary();
    match wish {
        Wish::Version => say(&format!("{binary} {}\n", info.version)),
        Wish::Help => say(&help(info)),
        Wish::Unknown(argument) => {
            complain(&format!(
                "{binary}: unknown argument {argument:?}. Try {binary} --help.\n"
            ));
            ExitCode::from(2)
        }
        Wish::Serve | Wish::Debug => {
            complain(&help(info));
            ExitCode::FAILURE
        }
    }
}

pub fn failed(info: &ServeInfo, why: &std::io::Error) -> ExitCode {
    complain(&format!("{}: {why}\n", info.binary()));
    ExitCode::FAILURE
}

/// How to let Terraform use a provider that runs already.
pub fn attach(info: &ServeInfo, socket: &str) -> String {
    let settings = serde_json::json!({ info.address: {
        "Protocol": "grpc",
        "ProtocolVersion": super::handshake::PROTOCOL,
        "Pid": std::process::id(),
        "Test": true,
        "Addr": { "Network": "unix", "String": socket },
    }});
    format!(
        "\
{binary} {version} is running. Set one of these in the shell in which you run terraform:

  sh, bash, zsh   export TF_REATTACH_PROVIDERS='{settings}'
  fish            set -gx TF_REATTACH_PROVIDERS '{settings}'
  PowerShell      $env:TF_REATTACH_PROVIDERS='{settings}'

It serves any number of terraform commands. Press Ctrl-C to end it.
",
        binary = info.binary(),
        version = info.version,
    )
}

pub fn say(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(text: &str) {
    // Nowhere to complain about a closed standard error.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

fn help(info: &ServeInfo) -> String {
    format!(
        "\
{binary} {version} is a Terraform provider. Terraform and OpenTofu start it; it does nothing when started by hand.

To use it, name it in a configuration and run `terraform init`:

  terraform {{
    required_providers {{
      {name} = {{
        source = \"{source}\"
      }}
    }}
  }}

To use a binary that you have built yourself, put this into ~/.terraformrc and leave `terraform init` out:

  provider_installation {{
    dev_overrides {{
      \"{source}\" = \"/the/folder/of/this/binary\"
    }}
    direct {{}}
  }}

Options:
  --debug     serve until Ctrl-C, for terraform commands that are told where (and for a debugger)
  --version   print the version
  --help      print this text
",
        binary = info.binary(),
        version = info.version,
        name = info.name,
        source = info.source(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(arguments: &[&str]) -> Wish {
        read(arguments.iter().map(OsString::from))
    }

    #[test]
    fn terraform_gives_no_arguments_and_people_a_few() {
        assert_eq!(wish(&[]), Wish::Serve);
        assert_eq!(wish(&["-debug"]), Wish::Debug);
        assert_eq!(wish(&["--debug", "--help"]), Wish::Help);
        assert_eq!(wish(&["--version"]), Wish::Version);
        assert_eq!(wish(&["plan"]), Wish::Unknown("plan".into()));
    }
}
