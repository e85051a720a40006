"""Locks a process in: no network, and no file but those that training needs. For good, for threads and children too.

    launcher -> grants   what the trainer may open: its program and its volumes
             -> lock     asks the kernel for both parts, through `kernel`, the one door to its calls
                         landlock  (pure) the files that are left
                         seccomp   (pure) the calls that are refused, with numbers from `architectures`
    trainer  -> seen     whether the lock holds, found out by trying; what was asked for proves nothing

The kernel's interfaces are called through ctypes: three calls for Landlock, one for seccomp, numbers and structures
that are promised never to change. Of the libraries, pyseccomp needs a system package, and those for Landlock know no
scopes or run other programs to find the C library, in the one process that must stay small and alone.
"""
