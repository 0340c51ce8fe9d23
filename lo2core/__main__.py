from lo2core.cli.commands import run_as_program

run_as_program()
