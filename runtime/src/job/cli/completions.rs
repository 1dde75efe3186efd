//! `completions`: a script that lets a shell complete what may stand on the command line. It is made of the same table as `--help`.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command};
use clap_complete::{Shell, generate};

use super::flags::help_flag;

/// The command.
pub(super) fn command(program: &str) -> Command {
    Command::new("completions")
        .about("Prints a script with which a shell completes commands, flags and files")
        .after_help(format!(
            "Examples:\n  {program} completions bash > ~/.local/share/bash-completion/completions/{program}\n  \
             {program} completions zsh > ~/.zfunc/_{program}     # a folder of your $fpath\n  \
             {program} completions fish > ~/.config/fish/completions/{program}.fish"
        ))
        .args([
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(PossibleValuesParser::new(["bash", "zsh", "fish"]))
                .help("The shell"),
            help_flag(),
        ])
        .disable_help_flag(true)
}

/// The script for a shell.
pub(super) fn script(mut command: Command, program: &str, shell: &str) -> Vec<u8> {
    let shell = match shell {
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => Shell::Bash,
    };
    let mut script = Vec::new();
    generate(shell, &mut command, program, &mut script);
    script
}
