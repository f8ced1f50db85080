"""The command group `moodswarm`; each command is in a module named after its subject."""

from typing import Any

import click

from moodswarm import __version__
from moodswarm.commands import (
    ask,
    chunks,
    collections,
    crawl,
    demo,
    documents,
    llm,
    retrieval,
    search,
    smoke,
)
from moodswarm.commands.project import KNOWN_ERRORS
from moodswarm.pipelines.console import printable


class _Group(click.Group):
    """Shows errors that users can fix as one message, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # The reader of our output has stopped; click ends quietly on this error.
        except click.ClickException as error:
            # `message` is typed as final, but click reads it only when it shows the error.
            object.__setattr__(error, "message", printable(error.message))
            raise
        except KNOWN_ERRORS as error:
            if ctx.params.get("debug"):
                raise
            raise click.ClickException(printable(str(error))) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--env",
    "-e",
    envvar="KEDRO_ENV",
    default=None,
    metavar="NAME",
    help="Folder of conf/ that configures the stores, e.g. `server`.  [default: local]",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="moodswarm")
@click.pass_context
def main(ctx: click.Context, env: str | None, debug: bool) -> None:  # noqa: ARG001  # for _Group
    """Inspect MoodSwarm's stores, move documents in and out, search, and ask questions.

    \b
    To try it out:
      moodswarm import data/01_raw/sample/*.jsonl    put documents into the store
      kedro run --pipeline=feature                   turn documents into searchable points
      moodswarm ask "how do I sharpen a chisel"      get an answer, or passages for one
      moodswarm chunks                               is any chunk over the model's limit?
      moodswarm smoke                                does everything respond?
    """
    ctx.ensure_object(dict)
    ctx.obj = {"env": env}


main.add_command(documents.import_command)
main.add_command(documents.export_command)
main.add_command(documents.delete_command)
main.add_command(ask.ask_command)
main.add_command(search.search_command)
main.add_command(collections.collections_command)
main.add_command(collections.sample_command)
main.add_command(chunks.chunks_command)
main.add_command(smoke.smoke_command)
main.add_command(llm.llm_group)
main.add_command(retrieval.retrieval_group)
main.add_command(crawl.crawl_group)
main.add_command(demo.demo_command)
