"""Docker's SDK for Python (Debian's python3-docker), as its users use it, against the engine of DOCKER_HOST. The image `busybox` is there."""

import io
import tarfile
import threading
import unittest

import docker
import docker.errors
import docker.types

IMAGE = "busybox:latest"


def tar_of(name, content):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class ClientCase(unittest.TestCase):
    def setUp(self):
        self.client = docker.from_env(timeout=30)
        self.addCleanup(self.client.close)

    def started(self, command="sleep 100", **settings):
        container = self.client.containers.run(IMAGE, command, detach=True, **settings)
        self.addCleanup(container.remove, force=True, v=True)
        return container


class Containers(ClientCase):
    def test_run_returns_output_and_raises_for_an_exit_code(self):
        self.assertEqual(self.client.containers.run(IMAGE, "echo hello", remove=True), b"hello\n")
        with self.assertRaises(docker.errors.ContainerError) as raised:
            self.client.containers.run(IMAGE, ["sh", "-c", "echo why >&2; exit 3"], remove=True)
        self.assertEqual(raised.exception.exit_status, 3)
        self.assertIn(b"why", raised.exception.stderr)
        # What could not be started stays, as with dockerd.
        with self.assertRaises(docker.errors.APIError):
            self.client.containers.run(IMAGE, "nope", remove=True, name="py-nope")
        self.client.containers.get("py-nope").remove()

    def test_an_unknown_image_is_image_not_found(self):
        with self.assertRaises(docker.errors.ImageNotFound):
            self.client.images.get("no-such-image")
        with self.assertRaises(docker.errors.ImageNotFound):
            self.client.api.create_container("no-such-image", "true")

    def test_life(self):
        container = self.started()
        self.assertEqual(container.status, "created")
        container.reload()
        self.assertEqual(container.status, "running")
        self.assertIn(container, self.client.containers.list())
        container.pause()
        container.reload()
        self.assertEqual(container.status, "paused")
        container.unpause()
        container.rename("renamed-by-py")
        self.assertEqual(self.client.containers.get("renamed-by-py").id, container.id)
        container.restart(timeout=0)
        container.kill()
        self.assertEqual(container.wait()["StatusCode"], 137)
        container.start()
        container.stop(timeout=0)
        with self.assertRaises(docker.errors.NotFound):
            self.client.containers.get("nobody")

    def test_logs_follow_and_attach(self):
        container = self.started(["sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.05; done; echo e >&2"])
        self.assertEqual(b"".join(container.logs(stream=True, follow=True)), b"1\n2\n3\ne\n")
        self.assertEqual(container.logs(stdout=True, stderr=False, tail=2), b"3\n")
        self.assertEqual(container.logs(stdout=False, stderr=True), b"e\n")

    def test_exec_output_code_socket_and_demux(self):
        container = self.started()
        self.assertEqual(container.exec_run("echo hi"), (0, b"hi\n"))
        code, (out, err) = container.exec_run(["sh", "-c", "echo o; echo e >&2; exit 4"], demux=True)
        self.assertEqual((code, out, err), (4, b"o\n", b"e\n"))
        _, socket = container.exec_run("cat", stdin=True, socket=True, tty=True)
        socket._sock.sendall(b"typed\n")
        self.assertIn(b"typed", socket._sock.recv(100))
        socket.close()
        self.assertEqual(container.exec_run("pwd", workdir="/tmp", user="1000")[1], b"/tmp\n")

    def test_archives(self):
        container = self.started()
        self.assertTrue(container.put_archive("/tmp", tar_of("file", b"content")))
        self.assertEqual(container.exec_run("cat /tmp/file")[1], b"content")
        chunks, stat = container.get_archive("/tmp/file")
        self.assertEqual((stat["name"], stat["size"]), ("file", 7))
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            self.assertEqual(archive.extractfile("file").read(), b"content")
        with self.assertRaises(docker.errors.NotFound):
            container.get_archive("/nope")
        self.assertIn({"Path": "/tmp/file", "Kind": 1}, container.diff())
        with tarfile.open(fileobj=io.BytesIO(b"".join(container.export()))) as archive:
            self.assertIn("tmp/file", archive.getnames())

    def test_stats_top_update_and_resize(self):
        container = self.started(tty=True, mem_limit="64m")
        stats = container.stats(stream=False)
        self.assertEqual(stats["memory_stats"]["limit"], 64 * 1024 * 1024)
        self.assertEqual(next(container.stats(stream=True, decode=True))["id"], container.id)
        self.assertEqual(container.top(ps_args="-o pid,comm")["Titles"], ["PID", "COMMAND"])
        container.update(mem_limit="128m", memswap_limit="256m")
        container.reload()
        self.assertEqual(container.attrs["HostConfig"]["Memory"], 128 * 1024 * 1024)
        container.resize(40, 120)

    def test_settings(self):
        container = self.started(
            environment={"A": "b"},
            labels={"color": "red"},
            ports={"80/tcp": None, "81/udp": ("127.0.0.1", None)},
            tmpfs={"/scratch": "size=1m"},
            ulimits=[docker.types.Ulimit(name="nofile", soft=100, hard=200)],
            extra_hosts={"db": "10.1.2.3"},
            cap_drop=["CHOWN"],
            healthcheck={"test": ["CMD", "true"], "interval": 1000000 * 200},
            restart_policy={"Name": "on-failure", "MaximumRetryCount": 2},
            log_config=docker.types.LogConfig(type="json-file", config={"max-size": "1m"}),
            mounts=[docker.types.Mount("/data", "py-data", type="volume")],
            init=True,
        )
        self.addCleanup(lambda: self.client.volumes.get("py-data").remove())
        self.addCleanup(container.remove, force=True)
        container.reload()
        self.assertRegex(container.ports["80/tcp"][0]["HostPort"], r"^\d+$")
        self.assertEqual(container.ports["81/udp"][0]["HostIp"], "127.0.0.1")
        self.assertEqual(container.attrs["HostConfig"]["RestartPolicy"]["MaximumRetryCount"], 2)
        self.assertEqual(self.client.containers.list(filters={"label": "color=red"}), [container])
        self._cleanups = [c for c in self._cleanups if c[2] != {"force": True, "v": True}]

    def test_commit_and_prune(self):
        container = self.started(["sh", "-c", "echo new > /new"])
        container.wait()
        image = container.commit("committed-by-py", "1", changes=["ENV C=d"], author="me", message="why")
        self.addCleanup(self.client.images.remove, "committed-by-py:1")
        self.assertEqual(self.client.containers.run(image.id, "cat /new", remove=True), b"new\n")
        self.assertEqual(set(self.client.containers.prune(filters={"label": "none=such"})), {"ContainersDeleted", "SpaceReclaimed"})

    def test_events(self):
        events = self.client.events(decode=True, filters={"type": "container", "label": "watched=py"})
        seen = []

        def watch():
            for event in events:
                seen.append(event["Action"])
                if event["Action"] == "destroy":
                    events.close()
                    return

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.client.containers.run(IMAGE, "true", labels={"watched": "py"}, remove=True)
        watcher.join(20)
        self.assertEqual([action for action in seen if action != "attach"], ["create", "start", "die", "destroy"])


class Images(ClientCase):
    def test_build_tag_history_save_and_load(self):
        dockerfile = b"FROM busybox\nARG WHO\nRUN echo $WHO > /who\nLABEL a=b\n"
        image, log = self.client.images.build(fileobj=io.BytesIO(dockerfile), tag="built-by-py", buildargs={"WHO": "me"}, rm=True)
        self.assertTrue(any("Step 1/4" in line.get("stream", "") for line in log))
        self.assertEqual(self.client.containers.run("built-by-py", "cat /who", remove=True), b"me\n")
        self.assertTrue(image.tag("built-by-py", "again"))
        self.assertEqual(image.history()[0]["Tags"] is not None, True)
        saved = b"".join(image.save(named=True))
        self.client.images.remove("built-by-py:latest")
        self.client.images.remove("built-by-py:again")
        (loaded,) = self.client.images.load(saved)
        self.assertEqual(loaded.id, image.id)
        self.client.images.remove(loaded.id, force=True)

    def test_a_failing_build_is_a_build_error_with_its_log(self):
        with self.assertRaises(docker.errors.BuildError) as raised:
            self.client.images.build(fileobj=io.BytesIO(b"FROM busybox\nRUN exit 5\n"))
        self.assertIn("returned a non-zero code: 5", raised.exception.msg)
        with self.assertRaises(docker.errors.BuildError) as raised:
            self.client.images.build(fileobj=io.BytesIO(b"FROM 127.0.0.1:1/no/such\nRUN true\n"))
        self.assertEqual(next(iter(raised.exception.build_log))["stream"], "Step 1/2 : FROM 127.0.0.1:1/no/such")

    def test_an_unreachable_registry_is_an_error(self):
        with self.assertRaises(docker.errors.APIError):
            self.client.images.pull("127.0.0.1:1/no/such")

    def test_import(self):
        self.client.api.import_image_from_data(tar_of("hello", b"hi"), repository="imported-by-py", tag="1")
        self.assertEqual(self.client.images.get("imported-by-py:1").attrs["Os"], "linux")
        self.client.images.remove("imported-by-py:1")


class NetworksAndVolumes(ClientCase):
    def test_network(self):
        ipam = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet="10.97.0.0/24", gateway="10.97.0.1")])
        network = self.client.networks.create("by-py", ipam=ipam, labels={"color": "red"}, check_duplicate=True)
        self.addCleanup(network.remove)
        container = self.started(network="by-py", name="py-web")
        other = self.started()
        network.connect(other, aliases=["inner"], ipv4_address="10.97.0.77")
        self.assertEqual(container.exec_run("ping -c 1 -W 2 inner")[0], 0)
        network.reload()
        self.assertEqual({c.id for c in network.containers}, {container.id, other.id})
        network.disconnect(other)
        self.assertEqual(self.client.networks.list(filters={"label": "color=red"}), [network])
        with self.assertRaises(docker.errors.APIError):
            network.remove()
        container.remove(force=True)
        other.remove(force=True)
        self._cleanups = self._cleanups[:2]

    def test_volume(self):
        volume = self.client.volumes.create("by-py", labels={"color": "red"})
        self.assertEqual(self.client.containers.run(IMAGE, "sh -c 'echo kept > /d/f'", volumes={"by-py": {"bind": "/d"}}, remove=True), b"")
        self.assertEqual(self.client.containers.run(IMAGE, "cat /d/f", volumes=["by-py:/d:ro"], remove=True), b"kept\n")
        self.assertEqual(self.client.volumes.list(filters={"label": "color=red"}), [volume])
        volume.remove()
        with self.assertRaises(docker.errors.NotFound):
            self.client.volumes.get("by-py")


class System(ClientCase):
    def test_information(self):
        self.assertTrue(self.client.ping())
        self.assertEqual(self.client.version()["Os"], "linux")
        self.assertEqual(self.client.info()["OSType"], "linux")
        self.assertIn("LayersSize", self.client.df())
        self.assertEqual(self.client.info()["Swarm"]["LocalNodeState"], "inactive")
        with self.assertRaises(docker.errors.APIError) as raised:
            self.client.services.list()
        self.assertEqual(raised.exception.status_code, 503)


if __name__ == "__main__":
    unittest.main(verbosity=2)
