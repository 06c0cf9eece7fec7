"""Container profiles: OCI's and docker's seccomp files, read, decided by, and compiled to classic BPF."""
