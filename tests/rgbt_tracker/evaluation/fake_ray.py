"""A stand-in for Ray: actors in this process, whose calls are answered at once."""

import pickle
from types import SimpleNamespace


class FakeRay:
    """Has what `rgbt_tracker.evaluation.cluster` uses.

    Attributes:
        options, actors: what it was asked to reserve and to make.
    """

    exceptions = SimpleNamespace(RayTaskError=ZeroDivisionError, RayError=ZeroDivisionError)  # which never come

    def __init__(self, cpus=1, gpus=8):
        self.options, self.actors = None, []
        self._resources = {"CPU": float(cpus), "GPU": float(gpus)}

    def cluster_resources(self):
        return self._resources

    def remote(self, **options):
        self.options = options
        return lambda kind: SimpleNamespace(remote=lambda *arguments: self._actor(kind(*_sent(arguments))))

    def _actor(self, actor):
        self.actors.append(actor)
        return SimpleNamespace(
            run=SimpleNamespace(remote=lambda job, weights: Reference(actor.run(_sent(job), weights)))
        )

    def put(self, content):
        return _sent(content)

    def wait(self, references, num_returns):
        return references[:num_returns], references[num_returns:]

    def get(self, reference):
        return reference.value


class Reference:
    """A result that is there already."""

    def __init__(self, value):
        self.value = value


def _sent(content):
    """As it arrives on another machine."""
    return pickle.loads(pickle.dumps(content))
