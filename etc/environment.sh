# What Java and the native libraries read when they start. Sourced by ./espalier and bench/run; the tests have the same in pom.xml.

# Threads that wait by spinning take the cores from those that work: pruning the shipped model took 61 s with spinning
# threads of libtorch and 37 s without, and the loops between OpenBLAS's products take half the time when its threads
# wait 2^4 cycles and not 2^26. Both on two cores with nothing else running. Threads that sleep make calls of BLAS from
# within ATen's own threads slow, so those calls use one BLAS thread each (Torch.withinAten).
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}
export OPENBLAS_THREAD_TIMEOUT=${OPENBLAS_THREAD_TIMEOUT:-4}

# Huge pages for matrices, where the system offers them on request: a SparseGPT solve of 4096 x 4096 goes from 0.96 s to
# 0.80 s.
export GLIBC_TUNABLES=${GLIBC_TUNABLES:-glibc.malloc.hugetlb=1}

# Arguments and names of files are bytes to the system; Java reads them by the locale alone, and in a container without one
# every letter beyond ASCII is lost. So the locale is always one of UTF-8.
if [ "$(locale charmap 2>/dev/null)" != UTF-8 ]; then
    # C.UTF-8 is part of glibc since 2.35, of Debian long before, and of musl in any case, which may have no `locale`.
    utf8=C.UTF-8
    for name in C.UTF-8 C.utf8 en_US.UTF-8 en_US.utf8; do
        if [ "$(env LC_ALL=$name locale charmap 2>/dev/null)" = UTF-8 ]; then
            utf8=$name
            break
        fi
    done
    export LC_ALL=$utf8
    unset utf8 name
fi
