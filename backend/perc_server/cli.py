"""The command line: each party alone, or all of them as processes of one demo.

The only module that knows all three servers; a process imports the one that it is, and none of the others.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from perc_server import demo
from perc_server.observability.listener import MetricsAddress
from perc_server.observability.logs import FORMATS, LEVELS, LogOptions, set_up_logging


def main() -> None:
    """Run the command that the arguments name, until it is told to end."""
    arguments = parser().parse_args()
    set_up_logging(log_options(arguments))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(arguments.command(arguments))


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    root = argparse.ArgumentParser(prog="perc-server", description=__doc__)
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    for name, add_options, purpose in (
        ("serve", _serve_command, "all parties, each as a process, for a demo on this machine"),
        ("call-processing", _call_processing_command, "rooms, offers, events, bridge, the page"),
        ("media-distributor", _media_distributor_command, "tunnel, ICE-lite, SRTP forwarding"),
        ("identity-provider", _identity_provider_command, "accounts, login, signed assertions"),
    ):
        command = commands.add_parser(name, help=purpose)
        add_options(command)
        _observability_options(command)
    return root


def log_options(arguments: argparse.Namespace) -> LogOptions:
    """Return what the arguments say about logging."""
    return LogOptions(arguments.log_level, arguments.log_format, arguments.log_identities)


def _observability_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--log-level", choices=LEVELS, default="info")
    command.add_argument("--log-format", choices=FORMATS, default="text", help="json: one object per line")
    command.add_argument(
        "--log-identities", action="store_true", help="log rooms, names and addresses as they are, not as pseudonyms"
    )
    command.add_argument(
        "--metrics",
        type=_metrics_address,
        metavar="HOST:PORT",
        help="show counters at http://HOST:PORT/metrics; serve: the Media Distributor there, the identity "
        "providers and call processing on the next ports",
    )


def _metrics_address(text: str) -> MetricsAddress:
    try:
        return MetricsAddress.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _serve_command(command: argparse.ArgumentParser) -> None:
    command.add_argument("--state", type=Path, default=Path(".var"), help="databases, certificates and keys")
    command.add_argument("--assets", type=Path, default=Path("browser/dist"), help="what browser/build made")
    command.add_argument("--port", type=int, default=8000, help="of call processing, on localhost")
    command.add_argument("--identity-provider-ports", type=int, nargs=2, default=[8001, 8002])
    command.add_argument("--tunnel-port", type=int, default=8443)
    command.add_argument("--control-port", type=int, default=8444)
    _key_log_option(command)
    command.set_defaults(command=demo.serve)


def _call_processing_command(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=int, required=True)
    command.add_argument("--origin", required=True, help="the web origin it serves, such as https://perc.example")
    command.add_argument("--assets", type=Path, required=True)
    command.add_argument("--trust-anchors", type=Path, help="PEM, in addition to Mozilla's")
    command.add_argument("--identity-provider", action="append", default=[], metavar="HOST[:PORT]")
    command.add_argument("--control", required=True, metavar="HOST:PORT", help="the Media Distributor's control port")
    command.add_argument("--control-certificate", type=Path, required=True, help="own certificate and key, PEM")
    command.add_argument("--control-peer", type=Path, required=True, help="the Media Distributor's certificate, PEM")
    command.add_argument("--tunnel-address", required=True, help="the address that the bridge dials")
    command.add_argument("--trusted-proxy", action="append", default=[], metavar="ADDRESS", help="of a reverse proxy")
    command.set_defaults(command=_call_processing)


def _call_processing(arguments: argparse.Namespace) -> Coroutine[Any, Any, None]:
    from perc_server.call_processing.app import serve
    from perc_server.call_processing.config import CallProcessingConfig, ControlConfig

    host, _, port = arguments.control.rpartition(":")
    control = ControlConfig(host, int(port), arguments.control_certificate, arguments.control_peer)
    return serve(
        CallProcessingConfig(
            host=arguments.host,
            port=arguments.port,
            origin=arguments.origin,
            control=control,
            tunnel_address=arguments.tunnel_address,
            identity_providers=tuple(arguments.identity_provider),
            assets=arguments.assets,
            trust_anchors=arguments.trust_anchors,
            trusted_proxies=tuple(arguments.trusted_proxy),
            metrics=arguments.metrics,
        )
    )


def _media_distributor_command(command: argparse.ArgumentParser) -> None:
    command.add_argument("--tunnel-name", required=True, help="the host name that Key Distributors are told")
    command.add_argument("--tunnel-certificate", type=Path, required=True, help="chain and key, PEM")
    command.add_argument("--tunnel-host", default="127.0.0.1")
    command.add_argument("--tunnel-port", type=int, required=True)
    command.add_argument("--control-certificate", type=Path, required=True, help="own certificate and key, PEM")
    command.add_argument("--control-peer", type=Path, required=True, help="call processing's certificate, PEM")
    command.add_argument("--control-host", default="127.0.0.1")
    command.add_argument("--control-port", type=int, required=True)
    command.add_argument("--media-host", default="127.0.0.1", help="the address that ICE candidates name")
    command.add_argument("--media-ports", type=int, nargs=2, metavar=("FIRST", "LAST"))
    _key_log_option(command)
    command.set_defaults(command=_media_distributor)


def _key_log_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--key-log",
        type=Path,
        metavar="FILE",
        help="append the tunnels' TLS secrets in the NSS key log format: anyone who reads FILE can decrypt them",
    )


def _media_distributor(arguments: argparse.Namespace) -> Coroutine[Any, Any, None]:
    from perc_server.media_distributor.config import MediaDistributorConfig
    from perc_server.media_distributor.server import serve

    return serve(
        MediaDistributorConfig(
            tunnel_name=arguments.tunnel_name,
            tunnel_certificate=arguments.tunnel_certificate,
            control_certificate=arguments.control_certificate,
            control_peer_certificate=arguments.control_peer,
            control_host=arguments.control_host,
            control_port=arguments.control_port,
            tunnel_host=arguments.tunnel_host,
            tunnel_port=arguments.tunnel_port,
            media_host=arguments.media_host,
            media_ports=tuple(arguments.media_ports) if arguments.media_ports else None,
            metrics=arguments.metrics,
            key_log=arguments.key_log,
        )
    )


def _identity_provider_command(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=int, required=True)
    command.add_argument("--origin", required=True, help="its web origin, such as https://idp.example")
    command.add_argument("--database", required=True, help="SQLAlchemy URL, such as sqlite:///idp.db")
    command.add_argument("--name", required=True, help="what its pages call it")
    command.add_argument("--trusted-proxy", action="append", default=[], metavar="ADDRESS", help="of a reverse proxy")
    command.add_argument("--demo-account", action="append", default=[], metavar="NAME:PASSWORD")
    command.set_defaults(command=_identity_provider)


def _identity_provider(arguments: argparse.Namespace) -> Coroutine[Any, Any, None]:
    from perc_server.identity_provider.app import serve
    from perc_server.identity_provider.config import DemoAccount, IdentityProviderConfig

    accounts = (account.partition(":") for account in arguments.demo_account)
    return serve(
        IdentityProviderConfig(
            host=arguments.host,
            port=arguments.port,
            origin=arguments.origin,
            database=arguments.database,
            name=arguments.name,
            trusted_proxies=tuple(arguments.trusted_proxy),
            metrics=arguments.metrics,
            demo_accounts=tuple(DemoAccount(name, password) for name, _, password in accounts),
        )
    )
