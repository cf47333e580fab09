"""One whole system for each file of end to end tests."""
import pytest

from world import whole_system


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with whole_system(tmp_path_factory.mktemp("config")) as whole:
        whole.start()
        whole.app = whole.api_key("citizens-app")
        whole.masa("client", "add", "front-desk", "--out", whole.path("client-front-desk"), "--verbs",
                   "command,snapshot,subscribe", "--types", "*", "--departments", "*",
                   "--personal", "full")
        whole.wait(lambda: whole.http("intake", "POST", "/open311/v2/requests.json",
                                      form={"api_key": whole.app}).status == 400, 10,
                   "intake knows the key")
        yield whole
