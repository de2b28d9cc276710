"""`pinterest-capi token`: creates a conversion token with the access token of `oauth`.

Owns the command: its options, the private file, and its exit codes (0: the file has the token; 1:
Pinterest returned none, or it could not be stored; 2: the configuration or an option). Never prints
the token.
"""

from pathlib import Path
from typing import Final

import click

from target_pinterest_capi.cli.configuration import load_settings
from target_pinterest_capi.cli.oauth_session import open_session
from target_pinterest_capi.cli.options import config_option
from target_pinterest_capi.files.durable import find_obstacle, replacement
from target_pinterest_capi.pinterest.responses import ConversionToken
from target_pinterest_capi.pinterest.sign_in import make_conversion_token

# Reserved on disk before a token is created, which a full disk would lose: more than it needs.
_ROOM_BYTES: Final = 4096


@click.command()
@config_option
@click.option(
    "--output",
    metavar="FILE",
    required=True,
    help="A private file for the token: name it in conversion_token_file.",
)
@click.option("--replace", is_flag=True, help="Replace the file if it exists.")
def token(paths: tuple[str, ...], output: str, replace: bool) -> None:
    """Create a conversion token in a private file.

    Run `pinterest-capi login` first. The token can send events for the ad accounts that the
    signed-in user may manage, and does not expire.

    \b
    pinterest-capi token --config target.yaml --output conversion-token.txt
    """  # noqa: D301 - click reads \b as "keep these lines"
    settings = load_settings(paths, purpose="sign-in")
    path = Path(output).expanduser()
    if path.exists() and not replace:
        raise click.BadParameter(
            f"{path} exists already, and its token may still be in use: name another file, or "
            "--replace it.",
            param_hint="--output",
        )
    obstacle = find_obstacle(path)
    if obstacle is not None:
        raise click.BadParameter(f"{path} cannot be written: {obstacle}.", param_hint="--output")
    right = (
        "The OAuth token may not create a conversion token: check that its user signed in with "
        "the scope ads:write."
    )
    account = settings.ad_account_id
    try:
        with (
            replacement(path, room=_ROOM_BYTES, is_private=True) as put,
            open_session(settings, paths, account, "to create a conversion token") as session,
        ):
            made = session.ask(make_conversion_token, ConversionToken, "no conversion token", right)
            put(made.access_token.encode() + b"\n")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None
    click.echo(f"{path} has the conversion token: name it in conversion_token_file.")
