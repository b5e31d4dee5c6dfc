"""Pictures made on this machine by stable-diffusion.cpp (`stable-diffusion.cpp:FILE`), in a process of its own."""

from fieldguide.runners.stable_diffusion_cpp._open import open_runner

__all__ = ["open_runner"]
