from __future__ import annotations

from typing import Any

from orchtui.docker import compile as compiled
from orchtui.model.spec import (
    AttachmentSpec,
    HealthcheckSpec,
    MountSpec,
    NetworkSpec,
    PortSpec,
    ResourcesSpec,
    ServiceSpec,
    VolumeSpec,
)

NETWORKS = {"front": "shop_front", "back": "shop_back"}


def creation(spec: ServiceSpec, *, api: tuple[int, int] = (1, 41), restart: str = "no") -> compiled.Creation:
    return compiled.container(
        spec=spec,
        image=spec.image,
        labels={"orchtui.slot": "1"},
        networks=NETWORKS,
        aliases=[spec.name],
        restart=restart,
        restart_max=3,
        api=api,
    )


def config(spec: ServiceSpec, **options: Any) -> dict[str, Any]:
    return creation(spec, **options).config


def test_the_smallest_service_says_nothing_it_was_not_told() -> None:
    made = config(ServiceSpec(name="web", image="nginx"))
    assert made["Image"] == "nginx"
    assert made["Labels"] == {"orchtui.slot": "1"}
    assert made["NetworkingConfig"] == {"EndpointsConfig": {}}
    for key in ("Cmd", "Entrypoint", "Healthcheck", "StopSignal", "StopTimeout", "User", "WorkingDir", "Hostname"):
        assert key not in made
    for key in ("Init", "NanoCpus", "Memory", "MemoryReservation", "PidsLimit", "NetworkMode"):
        assert key not in made["HostConfig"]


def test_process_settings() -> None:
    made = config(
        ServiceSpec(
            name="web",
            image="nginx",
            command=("serve", "--port", "80"),
            entrypoint=("/bin/tini", "--"),
            environment={"A": "1", "EMPTY": "", "UNSET": None, "EQ": "x=y"},
            user="1000:1000",
            working_dir="/srv",
            hostname="box",
            tty=True,
            stdin_open=True,
            stop_signal="SIGQUIT",
            stop_grace_period=2.5,
            init=True,
            read_only=True,
        )
    )
    assert made["Cmd"] == ["serve", "--port", "80"]
    assert made["Entrypoint"] == ["/bin/tini", "--"]
    assert made["Env"] == ["A=1", "EMPTY=", "UNSET", "EQ=x=y"]
    assert (made["User"], made["WorkingDir"], made["Hostname"]) == ("1000:1000", "/srv", "box")
    assert (made["Tty"], made["OpenStdin"]) == (True, True)
    assert (made["StopSignal"], made["StopTimeout"]) == ("SIGQUIT", 3)
    assert made["HostConfig"]["Init"] is True
    assert made["HostConfig"]["ReadonlyRootfs"] is True


def test_empty_lists_clear_what_the_image_says() -> None:
    made = config(ServiceSpec(name="web", image="nginx", command=(), entrypoint=()))
    assert made["Cmd"] == []
    assert made["Entrypoint"] == [""]


def test_ports_ranges_and_several_bindings_of_one_port() -> None:
    made = config(
        ServiceSpec(
            name="web",
            image="nginx",
            ports=(
                PortSpec(target=80, published="8080-8082"),
                PortSpec(target=80, published="9090", host_ip="127.0.0.1"),
                PortSpec(target=53, protocol="udp"),
            ),
        )
    )
    assert made["ExposedPorts"] == {"80/tcp": {}, "53/udp": {}}
    assert made["HostConfig"]["PortBindings"] == {
        "80/tcp": [{"HostIp": "", "HostPort": "8080-8082"}, {"HostIp": "127.0.0.1", "HostPort": "9090"}],
        "53/udp": [{"HostIp": "", "HostPort": ""}],
    }


def test_binds_create_host_paths_and_mounts_refuse_missing_ones() -> None:
    host = config(
        ServiceSpec(
            name="web",
            image="nginx",
            mounts=(
                MountSpec(kind="bind", source="/srv/a", target="/a", read_only=True, propagation="rslave"),
                MountSpec(kind="bind", source="/srv/b", target="/b", create_host_path=False),
                MountSpec(kind="volume", source="shop_data", target="/data", nocopy=True),
                MountSpec(kind="volume", target="/scratch"),
                MountSpec(kind="tmpfs", target="/tmp", tmpfs_size=1024, tmpfs_mode=0o1777),
            ),
        )
    )["HostConfig"]
    assert host["Binds"] == ["/srv/a:/a:ro,rslave"]
    assert host["Mounts"] == [
        {"Type": "bind", "Target": "/b", "ReadOnly": False, "Source": "/srv/b"},
        {
            "Type": "volume",
            "Target": "/data",
            "ReadOnly": False,
            "Source": "shop_data",
            "VolumeOptions": {"NoCopy": True},
        },
        {"Type": "volume", "Target": "/scratch", "ReadOnly": False},
        {"Type": "tmpfs", "Target": "/tmp", "ReadOnly": False, "TmpfsOptions": {"SizeBytes": 1024, "Mode": 0o1777}},
    ]


def test_a_host_path_with_a_colon_needs_the_typed_form() -> None:
    spec = ServiceSpec(name="web", image="x", mounts=(MountSpec(kind="bind", source="/a:b", target="/c"),))
    assert config(spec, api=(1, 45))["HostConfig"]["Mounts"] == [
        {
            "Type": "bind",
            "Target": "/c",
            "ReadOnly": False,
            "Source": "/a:b",
            "BindOptions": {"CreateMountpoint": True},
        }
    ]


def test_healthcheck_in_nanoseconds() -> None:
    check = HealthcheckSpec(
        test=("CMD-SHELL", "true"), interval=1.5, timeout=0.5, start_period=10, start_interval=2, retries=3
    )
    spec = ServiceSpec(name="web", image="x", healthcheck=check)
    old = {
        "Test": ["CMD-SHELL", "true"],
        "Interval": 1_500_000_000,
        "Timeout": 500_000_000,
        "StartPeriod": 10_000_000_000,
        "Retries": 3,
    }
    assert config(spec)["Healthcheck"] == old
    assert config(spec, api=(1, 44))["Healthcheck"] == old | {"StartInterval": 2_000_000_000}


def test_healthcheck_off_and_healthcheck_of_the_image_with_other_times() -> None:
    off = ServiceSpec(name="web", image="x", healthcheck=HealthcheckSpec(test=("NONE",)))
    assert config(off)["Healthcheck"] == {"Test": ["NONE"]}
    faster = ServiceSpec(name="web", image="x", healthcheck=HealthcheckSpec(interval=1))
    assert config(faster)["Healthcheck"] == {"Interval": 1_000_000_000}


def test_resources_and_restart() -> None:
    spec = ServiceSpec(
        name="web",
        image="x",
        resources=ResourcesSpec(cpus=0.25, memory=64 << 20, pids=50, reserved_memory=32 << 20, reserved_cpus=0.1),
    )
    host = config(spec, restart="on-failure")["HostConfig"]
    assert host["NanoCpus"] == 250_000_000
    assert (host["Memory"], host["MemoryReservation"], host["PidsLimit"]) == (64 << 20, 32 << 20, 50)
    assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    assert config(spec, restart="always")["HostConfig"]["RestartPolicy"]["MaximumRetryCount"] == 0


def test_several_networks_one_at_creation_before_api_1_44() -> None:
    spec = ServiceSpec(
        name="web",
        image="x",
        networks=(
            AttachmentSpec(network="front", aliases=("www", "web")),
            AttachmentSpec(network="back", ipv4_address="10.0.0.5"),
        ),
    )
    front = {"Aliases": ["web", "www"]}
    back = {"Aliases": ["web"], "IPAMConfig": {"IPv4Address": "10.0.0.5"}}
    old = creation(spec)
    assert old.config["HostConfig"]["NetworkMode"] == "shop_front"
    assert old.config["NetworkingConfig"]["EndpointsConfig"] == {"shop_front": front}
    assert old.connects == (("shop_back", back),)
    new = creation(spec, api=(1, 44))
    assert new.config["NetworkingConfig"]["EndpointsConfig"] == {"shop_front": front, "shop_back": back}
    assert new.connects == ()


def test_our_labels_win_over_the_users() -> None:
    spec = ServiceSpec(name="web", image="x", labels={"a": "1", "orchtui.slot": "99"})
    assert config(spec)["Labels"] == {"a": "1", "orchtui.slot": "1"}


def test_networks_and_volumes() -> None:
    network = compiled.network(
        NetworkSpec(key="front", name="shop_front", internal=True, driver_opts={"k": "v"}, labels={"a": "1"}),
        {"b": "2"},
    )
    assert network["Name"] == "shop_front"
    assert (network["Driver"], network["Internal"], network["Options"]) == ("bridge", True, {"k": "v"})
    assert network["Labels"] == {"a": "1", "b": "2"}
    volume = compiled.volume(VolumeSpec(key="data", name="shop_data", driver_opts={"type": "tmpfs"}), {})
    assert volume == {"Name": "shop_data", "Driver": "local", "DriverOpts": {"type": "tmpfs"}, "Labels": {}}
